#include "nn/ops/normalized_rows.h"

#include <algorithm>

#include "nn/fold.h"

namespace lamina::nn {

InputTerms::InputTerms(const Normalization& norm, const ChannelSums& sums, std::size_t rows,
                       Statistics statistics)
    : a(norm.scale), b(Tensor::zeros(a.shape())), d(Tensor::zeros(a.shape())) {
  if (statistics == Statistics::given) {
    return;
  }
  const float* const scale = norm.scale.data();
  float* const to_b = b.data();
  float* const to_d = d.data();
  for (std::size_t c = 0; c < norm.deviation.size(); ++c) {
    const double share = double{scale[c]} / static_cast<double>(rows);
    const double variance = norm.deviation[c] * norm.deviation[c];
    to_b[c] = static_cast<float>(share * sums.second[c] / variance);
    to_d[c] = static_cast<float>(share * sums.first[c]);
  }
}

NormParameterGradients::NormParameterGradients(const Normalization& norm, const ChannelSums& sums)
    : beta(to_tensor(sums.first)) {
  std::vector<double> of_gamma = sums.second;
  for (std::size_t c = 0; c < of_gamma.size(); ++c) {
    of_gamma[c] /= norm.deviation[c];
  }
  gamma = to_tensor(of_gamma);
}

void NormalizedRows::apply(std::size_t begin, std::size_t count, float* y,
                           const float* residual) const {
  kernels.scale_shift({.rows = count,
                       .channels = channels(),
                       .x = x.data() + begin * channels(),
                       .scale = norm.scale.data(),
                       .shift = norm.shift.data(),
                       .residual = residual,
                       .y = y,
                       .lo = bounds.lo,
                       .hi = bounds.hi});
}

void NormalizedRows::add_sums(std::size_t begin, std::size_t count, const float* dy, double* sum_dy,
                              double* sum_dy_x) const {
  for (std::size_t done = 0; done < count; done += kSumRows) {
    kernels.gradients.norm_sums({.rows = std::min(kSumRows, count - done),
                                 .channels = channels(),
                                 .x = x.data() + (begin + done) * channels(),
                                 .dy = dy + done * channels(),
                                 .scale = norm.scale.data(),
                                 .shift = norm.shift.data(),
                                 .mean = norm.mean.data(),
                                 .lo = bounds.lo,
                                 .hi = bounds.hi,
                                 .sum_dy = sum_dy,
                                 .sum_dy_x = sum_dy_x});
  }
}

void NormalizedRows::input_gradient(std::size_t begin, std::size_t count, const float* dy,
                                    const InputTerms& terms, float* dx) const {
  kernels.gradients.norm_input({.rows = count,
                                .channels = channels(),
                                .x = x.data() + begin * channels(),
                                .dy = dy,
                                .scale = norm.scale.data(),
                                .shift = norm.shift.data(),
                                .mean = norm.mean.data(),
                                .lo = bounds.lo,
                                .hi = bounds.hi,
                                .a = terms.a.data(),
                                .b = terms.b.data(),
                                .d = terms.d.data(),
                                .dx = dx});
}

}  // namespace lamina::nn
