#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace lamina::models::torch {

/// The little-endian number at `offset`, which the caller has checked.
template <class Number>
Number number_at(std::span<const std::uint8_t> bytes, std::size_t offset) {
  Number number;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

inline std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace lamina::models::torch
