#include "nn/ops/normalization.h"

#include <algorithm>
#include <cmath>

#include "nn/fold.h"
#include "nn/kernels.h"
#include "nn/ops/channel_sums.h"
#include "nn/ops/normalized_rows.h"

namespace lamina::nn {
namespace {

// Near the mean, for channels whose deviation is small beside it: the mean of a few rows.
std::vector<float> near_mean(const Tensor& x, std::size_t rows, std::size_t channels) {
  constexpr std::size_t kRows = 8;
  const std::size_t step = std::max<std::size_t>(1, rows / kRows);
  std::vector<double> sums(channels);
  std::size_t count = 0;
  for (std::size_t row = 0; row < rows && count < kRows; row += step, ++count) {
    for (std::size_t c = 0; c < channels; ++c) {
      sums[c] += double{x.data()[row * channels + c]};
    }
  }
  std::vector<float> means(channels);
  std::ranges::transform(sums, means.begin(), [&](double sum) {
    return static_cast<float>(sum / static_cast<double>(count));
  });
  return means;
}

}  // namespace

BatchStatistics batch_statistics(const kernels::KernelTable& kernels, const Tensor& x) {
  const std::size_t channels = x.shape()[x.shape().rank() - 1];
  const std::size_t rows = x.size() / channels;
  const std::vector<float> point = near_mean(x, rows, channels);
  const ChannelSums sums = moments(kernels, x.data(), rows, point);
  BatchStatistics result{.rows = rows, .mean = {}, .variance = {}};
  const double count = static_cast<double>(rows);
  for (std::size_t c = 0; c < channels; ++c) {
    const double offset = sums.first[c] / count;
    result.mean.push_back(double{point[c]} + offset);
    // Not std::max, which would hide a NaN.
    const double variance = sums.second[c] / count - offset * offset;
    result.variance.push_back(variance < 0.0 ? 0.0 : variance);
  }
  return result;
}

void update_running(const BatchStatistics& batch, float momentum, Tensor& running_mean,
                    Tensor& running_variance) {
  const double share = double{momentum};
  const double rows = static_cast<double>(batch.rows);
  const auto update = [&](Tensor& running, const std::vector<double>& values, double factor) {
    float* to = running.data();
    for (std::size_t c = 0; c < values.size(); ++c) {
      to[c] = static_cast<float>((1.0 - share) * double{to[c]} + share * factor * values[c]);
    }
  };
  update(running_mean, batch.mean, 1.0);
  update(running_variance, batch.variance, rows / (rows - 1.0));
}

Normalization::Normalization(const std::vector<double>& means, const std::vector<double>& variances,
                             const Tensor& gamma, const Tensor& beta, float epsilon)
    : mean(to_tensor(means)),
      scale(Tensor::uninitialized(gamma.shape())),
      shift(Tensor::uninitialized(gamma.shape())) {
  deviation.resize(means.size());
  const float* const from_gamma = gamma.data();
  const float* const from_beta = beta.data();
  float* const to_scale = scale.data();
  float* const to_shift = shift.data();
  for (std::size_t c = 0; c < deviation.size(); ++c) {
    deviation[c] = std::sqrt(variances[c] + double{epsilon});
    const double factor = double{from_gamma[c]} / deviation[c];
    to_scale[c] = static_cast<float>(factor);
    to_shift[c] = static_cast<float>(double{from_beta[c]} - means[c] * factor);
  }
}

Tensor normalize(const kernels::KernelTable& kernels, const Tensor& x, const Normalization& norm,
                 Bounds bounds) {
  const NormalizedRows rows{kernels, x, norm, bounds};
  const std::size_t channels = rows.channels();
  Tensor y = Tensor::uninitialized(x.shape());
  float* to = y.data();
  parallel_blocks(x.size() / channels, task_rows(channels),
                  [&](std::size_t begin, std::size_t end) {
                    rows.apply(begin, end - begin, to + begin * channels);
                  });
  return y;
}

}  // namespace lamina::nn
