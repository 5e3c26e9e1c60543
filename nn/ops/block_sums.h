#pragma once

#include <cstddef>

#include "core/tensor.h"
#include "nn/ops/blocks.h"

/// Inside nn only: long sums, cut by shape. A sum over hundreds of thousands of terms loses digits
/// in float32, and one that threads cut would not have the same bits for any number of them.
namespace lamina::nn {

/// How a sum of `units` steps into `floats` values is cut into blocks of consecutive units, each
/// with a sum of its own.
struct BlockedSum {
  std::size_t units, floats;
  std::size_t blocks, units_per_block;

  BlockedSum(std::size_t units, std::size_t floats);
};

/// to[i] = sum_b from[b, i], in double, for `floats` values each of `blocks` sums.
void combine(const float* from, std::size_t blocks, std::size_t floats, float* to);

/// Every value zero, in parallel.
void fill_zero(Tensor& tensor);

/// to = sum_{unit < units} of what add(unit, part, sum) adds to `sum`, of to's shape, where part
/// < parts calls for a unit add to values of their own. Within a block the sum is float32.
template <class Add>
void sum_in_blocks(std::size_t units, std::size_t parts, Tensor& to, const Add& add) {
  const BlockedSum cut(units, to.size());
  Tensor sums = cut.blocks == 1 ? to : Tensor::uninitialized({cut.blocks, cut.floats});
  fill_zero(sums);
  float* first = sums.data();
  parallel_for(cut.blocks * parts, [&](std::size_t task) {
    const std::size_t begin = task / parts * cut.units_per_block;
    const std::size_t end = std::min(units, begin + cut.units_per_block);
    for (std::size_t unit = begin; unit < end; ++unit) {
      add(unit, task % parts, first + task / parts * cut.floats);
    }
  });
  if (cut.blocks > 1) {
    combine(first, cut.blocks, cut.floats, to.data());
  }
}

}  // namespace lamina::nn
