#include "nn/kernels.h"
#include "nn/ops/channel_sums.h"
#include "nn/ops/normalized_rows.h"

namespace lamina::nn {

NormalizationGradient NormalizationBackward::operator()(const kernels::KernelTable& kernels,
                                                        const Tensor& x, const Tensor& dy) const {
  const NormalizedRows normalized{kernels, x, norm, bounds};
  const std::size_t channels = normalized.channels();
  const std::size_t rows = x.size() / channels;
  const ChannelSums sums = sum_channels(
      rows, channels, [&](std::size_t begin, std::size_t end, double* first, double* second) {
        normalized.add_sums(begin, end - begin, dy.data() + begin * channels, first, second);
      });
  const NormParameterGradients parameters(norm, sums);
  NormalizationGradient gradient{.dx = {}, .dgamma = parameters.gamma, .dbeta = parameters.beta};
  if (wants == Wants::parameters) {
    return gradient;
  }
  const InputTerms terms(norm, sums, rows, statistics);
  gradient.dx = Tensor::uninitialized(x.shape());
  float* const dx = gradient.dx.data();
  parallel_blocks(rows, task_rows(channels), [&](std::size_t begin, std::size_t end) {
    normalized.input_gradient(begin, end - begin, dy.data() + begin * channels, terms,
                              dx + begin * channels);
  });
  return gradient;
}

}  // namespace lamina::nn
