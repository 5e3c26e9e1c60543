#pragma once

#include <cstddef>
#include <vector>

namespace lamina::nn {

/// A value's size and the steps from the one that makes it to the last that reads it.
struct Lifetime {
  std::size_t floats = 0;
  std::size_t first = 0, last = 0;
  bool used = false;  // false: it takes no place
};

/// Offsets in floats, multiples of 16 (64 bytes), such that values alive at the same step do not
/// overlap; `total` becomes the arena's size. Larger values choose first, each the lowest gap that
/// fits: for a chain of layers this is the least possible or close to it.
std::vector<std::size_t> plan_arena(const std::vector<Lifetime>& lifetimes, std::size_t& total);

}  // namespace lamina::nn
