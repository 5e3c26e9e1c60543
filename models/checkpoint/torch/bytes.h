#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "models/checkpoint/header_rules.h"

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

/// A name for a message: in quotes, escaped, cut where it is long.
inline std::string shown(std::string_view name) {
  constexpr std::size_t kLongest = 128;
  return name.size() <= kLongest ? in_quotes(name) : in_quotes(name.substr(0, kLongest)) + "...";
}

}  // namespace lamina::models::torch
