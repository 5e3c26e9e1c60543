#pragma once

#include <cstddef>
#include <vector>

#include "core/tensor.h"
#include "kernels/table.h"
#include "nn/ops/blocks.h"

/// Inside nn only: two sums for each channel over all rows, in double.
namespace lamina::nn {

/// The most rows that one call of a kernel sums in float32.
inline constexpr std::size_t kSumRows = 256;

struct ChannelSums {
  std::vector<double> first, second;
};

/// What add(row_begin, row_end, first, second) adds to first and second, [channels] each, over all
/// rows in runs of kSumRows. Cut by shape and combined in order.
template <class Add>
ChannelSums sum_channels(std::size_t rows, std::size_t channels, const Add& add) {
  constexpr std::size_t kMaxBlocks = 64;
  const std::size_t runs = divide_up(rows, kSumRows);
  const std::size_t block_rows = divide_up(runs, kMaxBlocks) * kSumRows;
  const std::size_t blocks = rows == 0 ? 0 : divide_up(rows, block_rows);
  std::vector<double> sums(blocks * 2 * channels);
  parallel_blocks(rows, std::max<std::size_t>(1, block_rows),
                  [&](std::size_t begin, std::size_t end) {
                    double* first = sums.data() + begin / block_rows * 2 * channels;
                    for (std::size_t row = begin; row < end; row += kSumRows) {
                      add(row, std::min(end, row + kSumRows), first, first + channels);
                    }
                  });
  ChannelSums total{std::vector<double>(channels), std::vector<double>(channels)};
  for (std::size_t block = 0; block < blocks; ++block) {
    const double* first = sums.data() + block * 2 * channels;
    for (std::size_t c = 0; c < channels; ++c) {
      total.first[c] += first[c];
      total.second[c] += first[channels + c];
    }
  }
  return total;
}

/// first[c] = sum_i (x[i, c] - shift[c]), second[c] the same of squares; x [rows, channels].
ChannelSums moments(const kernels::KernelTable& kernels, const float* x, std::size_t rows,
                    const std::vector<float>& shift);

/// The sum of each column of x [rows, channels]: the gradient of a bias.
Tensor column_sums(const kernels::KernelTable& kernels, const Tensor& x, std::size_t channels);

}  // namespace lamina::nn
