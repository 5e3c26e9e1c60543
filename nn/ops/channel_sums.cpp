#include "nn/ops/channel_sums.h"

#include "nn/fold.h"

namespace lamina::nn {

ChannelSums moments(const kernels::KernelTable& kernels, const float* x, std::size_t rows,
                    const std::vector<float>& shift) {
  const std::size_t channels = shift.size();
  return sum_channels(rows, channels,
                      [&](std::size_t begin, std::size_t end, double* sums, double* squares) {
                        kernels.gradients.moments({.rows = end - begin,
                                                   .channels = channels,
                                                   .x = x + begin * channels,
                                                   .ldx = channels,
                                                   .shift = shift.data(),
                                                   .sums = sums,
                                                   .squares = squares});
                      });
}

Tensor column_sums(const kernels::KernelTable& kernels, const Tensor& x, std::size_t channels) {
  return to_tensor(
      moments(kernels, x.data(), x.size() / channels, std::vector<float>(channels)).first);
}

}  // namespace lamina::nn
