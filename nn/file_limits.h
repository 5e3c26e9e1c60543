#pragma once

#include <cstddef>

/// What plan files may ask for at most, whatever they declare. docs/SECURITY.md lists them.
namespace lamina::nn::limits {

/// Bytes of a plan file.
inline constexpr std::size_t kPlanFile = std::size_t{1} << 32;

/// Floats of a plan's arena, of its scratch for one thread and of one image: 4 GiB.
inline constexpr std::size_t kPlanFloats = std::size_t{1} << 30;

}  // namespace lamina::nn::limits
