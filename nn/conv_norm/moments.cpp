#include <algorithm>

#include "kernels/table.h"
#include "nn/conv_norm/layer.h"
#include "nn/conv_norm/rows.h"

namespace lamina::nn {

ChannelSums TaskSums::totals() const {
  ChannelSums totals{std::vector<double>(channels_), std::vector<double>(channels_)};
  for (std::size_t begin = 0; begin < values_.size(); begin += 2 * channels_) {
    for (std::size_t c = 0; c < channels_; ++c) {
      totals.first[c] += values_[begin + c];
      totals.second[c] += values_[begin + channels_ + c];
    }
  }
  return totals;
}

// The mean of some rows.
void ChainMoments::set_point(std::size_t task, const float* z, std::size_t rows) {
  constexpr std::size_t kRows = 8;
  const std::size_t step = divide_up(rows, kRows);
  const float share = 1.0f / static_cast<float>(divide_up(rows, step));
  float* const point = points_.data() + task * channels_;
  for (std::size_t row = 0; row < rows; row += step) {
    for (std::size_t c = 0; c < channels_; ++c) {
      point[c] += share * z[row * channels_ + c];
    }
  }
}

void ChainMoments::add(const kernels::KernelTable& kernels, std::size_t task, const float* z,
                       std::size_t rows) {
  if (counts_[task] == 0) {
    set_point(task, z, rows);
  }
  counts_[task] += rows;
  in_short_runs(0, rows, [&](std::size_t begin, std::size_t count) {
    kernels.gradients.moments({.rows = count,
                               .channels = channels_,
                               .x = z + begin * channels_,
                               .ldx = channels_,
                               .shift = points_.data() + task * channels_,
                               .sums = sums_.first(task),
                               .squares = sums_.second(task)});
  });
}

// Two parts with n and m values, means a and b: the mean is a + (b - a) m / (n + m), and the
// squares about it grow by (b - a)^2 n m / (n + m) (Chan et al. 1979).
BatchStatistics ChainMoments::statistics() const {
  BatchStatistics batch{.rows = 0,
                        .mean = std::vector<double>(channels_),
                        .variance = std::vector<double>(channels_)};
  for (std::size_t task = 0; task < counts_.size(); ++task) {
    if (counts_[task] == 0) {
      continue;
    }
    const auto before = static_cast<double>(batch.rows);
    const auto rows = static_cast<double>(counts_[task]);
    batch.rows += counts_[task];
    const double share = rows / static_cast<double>(batch.rows);
    const double of_row = 1.0 / rows;
    const double* const sums = sums_.first(task);
    const double* const sums_of_squares = sums_.second(task);
    const float* const point = points_.data() + task * channels_;
    for (std::size_t c = 0; c < channels_; ++c) {
      const double offset = sums[c] * of_row;
      const double squares = sums_of_squares[c] - offset * offset * rows;
      const double mean = double{point[c]} + offset;
      const double step = mean - batch.mean[c];
      batch.mean[c] += step * share;
      batch.variance[c] += (squares < 0.0 ? 0.0 : squares) + step * step * before * share;
    }
  }
  for (double& variance : batch.variance) {
    variance /= static_cast<double>(batch.rows);
  }
  return batch;
}

}  // namespace lamina::nn
