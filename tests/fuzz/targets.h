#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lamina::fuzz {

/// A fuzzer's name and its LLVMFuzzerTestOneInput.
struct Target {
  const char* name;
  int (*run)(const std::uint8_t* data, std::size_t size);
};

/// Those of this folder's meson.build, which writes the list.
std::span<const Target> targets();

}  // namespace lamina::fuzz
