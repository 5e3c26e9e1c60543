#pragma once

#include <algorithm>
#include <cstdint>

namespace lamina::data {

/// Pillow's blend of two bytes: `from` where factor is 0, `to` where it is 1, and beyond.
inline std::uint8_t blend(int from, int to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
  return static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

}  // namespace lamina::data
