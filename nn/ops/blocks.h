#pragma once

#include <algorithm>
#include <cstddef>

#include "core/parallel.h"

namespace lamina::nn {

/// Floats that one task of a pass over memory writes: 64 KB, so that what it reads and writes stays
/// in a core's L2 while a task still lasts microseconds, many times what starting it costs.
inline constexpr std::size_t kTaskFloats = 16 * 1024;

constexpr std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// Rows of `row_floats` floats that make up one task.
constexpr std::size_t task_rows(std::size_t row_floats) {
  return std::max<std::size_t>(1, kTaskFloats / std::max<std::size_t>(1, row_floats));
}

/// Calls task(begin, end) in parallel on [0, count), cut every `block`.
template <class Task>
void parallel_blocks(std::size_t count, std::size_t block, const Task& task) {
  parallel_for(divide_up(count, block),
               [&](std::size_t i) { task(i * block, std::min(count, (i + 1) * block)); });
}

}  // namespace lamina::nn
