#include "nn/fold.h"
#include "nn/kernels.h"
#include "nn/ops/channel_sums.h"
#include "nn/ops/normalization.h"

namespace lamina::nn {
namespace {

// dx = g a - (x - mean) b - d, each [C].
struct InputTerms {
  Tensor a, b, d;

  InputTerms(const Normalization& norm, const ChannelSums& sums, double rows, Statistics statistics)
      : a(norm.scale), b(Tensor::zeros(a.shape())), d(Tensor::zeros(a.shape())) {
    if (statistics == Statistics::given) {
      return;
    }
    for (std::size_t c = 0; c < a.size(); ++c) {
      const double scale = double{norm.scale.data()[c]};
      const double variance = norm.deviation[c] * norm.deviation[c];
      b.data()[c] = static_cast<float>(scale * sums.second[c] / (rows * variance));
      d.data()[c] = static_cast<float>(scale * sums.first[c] / rows);
    }
  }
};

}  // namespace

NormalizationGradient NormalizationBackward::operator()(const kernels::KernelTable& kernels,
                                                        const Tensor& x, const Tensor& dy) const {
  const std::size_t channels = norm.scale.size();
  const std::size_t rows = x.size() / channels;
  ChannelSums sums = sum_channels(
      rows, channels, [&](std::size_t begin, std::size_t end, double* sum_dy, double* sum_dy_x) {
        kernels.gradients.norm_sums({.rows = end - begin,
                                     .channels = channels,
                                     .x = x.data() + begin * channels,
                                     .dy = dy.data() + begin * channels,
                                     .scale = norm.scale.data(),
                                     .shift = norm.shift.data(),
                                     .mean = norm.mean.data(),
                                     .lo = bounds.lo,
                                     .hi = bounds.hi,
                                     .sum_dy = sum_dy,
                                     .sum_dy_x = sum_dy_x});
      });
  const InputTerms terms(norm, sums, static_cast<double>(rows), statistics);
  NormalizationGradient gradient{.dx = {}, .dgamma = {}, .dbeta = to_tensor(sums.first)};
  for (std::size_t c = 0; c < channels; ++c) {
    sums.second[c] /= norm.deviation[c];
  }
  gradient.dgamma = to_tensor(sums.second);
  if (!wants_x) {
    return gradient;
  }
  gradient.dx = Tensor::uninitialized(x.shape());
  float* to = gradient.dx.data();
  parallel_blocks(rows, task_rows(channels), [&](std::size_t begin, std::size_t end) {
    kernels.gradients.norm_input({.rows = end - begin,
                                  .channels = channels,
                                  .x = x.data() + begin * channels,
                                  .dy = dy.data() + begin * channels,
                                  .scale = norm.scale.data(),
                                  .shift = norm.shift.data(),
                                  .mean = norm.mean.data(),
                                  .lo = bounds.lo,
                                  .hi = bounds.hi,
                                  .a = terms.a.data(),
                                  .b = terms.b.data(),
                                  .d = terms.d.data(),
                                  .dx = to + begin * channels});
  });
  return gradient;
}

}  // namespace lamina::nn
