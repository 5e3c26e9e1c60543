#include "nn/kernels.h"
#include "nn/ops/block_sums.h"
#include "nn/ops/conv2d.h"

namespace lamina::nn {
namespace {

// Pixels that one float32 sum of the weights' gradient runs over.
constexpr std::size_t kRunPixels = 512;

// [KH, KW, C] to [C, KH, KW, 1].
Tensor channels_first(const Tensor& taps, const Shape& shape) {
  const std::size_t channels = shape[0];
  const std::size_t count = shape.size() / channels;
  Tensor w = Tensor::uninitialized(shape);
  float* to = w.data();
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t tap = 0; tap < count; ++tap) {
      to[c * count + tap] = taps.data()[tap * channels + c];
    }
  }
  return w;
}

}  // namespace

Tensor depthwise_input_gradient(const ConvolutionGradient& gradient, const Tensor& w) {
  const auto& [kernels, dy, x_shape, w_shape, window, groups] = gradient;
  const auto kernel = is_depthwise3x3(window) ? kernels.gradients.depthwise3x3_input
                                              : kernels.gradients.depthwise_input;
  const Tensor taps = channels_last(w);
  Tensor dx = Tensor::uninitialized(x_shape);
  float* to = dx.data();
  const std::size_t channels = gradient.in_channels();
  const std::size_t rows = task_rows(window.in_w * channels);
  const std::size_t blocks = divide_up(window.in_h, rows);
  parallel_for(gradient.images() * blocks, [&](std::size_t task) {
    const kernels::Window& reads = gradient.window;
    const std::size_t image = task / blocks;
    const std::size_t begin = task % blocks * rows;
    kernel({.window = reads,
            .channels = channels,
            .row_begin = begin,
            .row_end = std::min(reads.in_h, begin + rows),
            .dy = gradient.dy.data() + image * reads.out_h * reads.out_w * channels,
            .w = taps.data(),
            .dx = to + image * reads.in_h * reads.in_w * channels});
  });
  return dx;
}

Tensor depthwise_weight_gradient(const ConvolutionGradient& gradient, const Tensor& x) {
  const kernels::Window& window = gradient.window;
  const auto& kernels = gradient.kernels.gradients;
  const auto kernel =
      is_depthwise3x3(window) ? kernels.depthwise3x3_weight : kernels.depthwise_weight;
  const std::size_t channels = gradient.in_channels();
  const std::size_t rows = std::max<std::size_t>(1, kRunPixels / window.out_w);
  const std::size_t runs = divide_up(window.out_h, rows);
  Tensor taps = Tensor::uninitialized({window.kernel_h * window.kernel_w, channels});
  sum_in_blocks(gradient.images() * runs, 1, taps, [&](std::size_t run, std::size_t, float* sum) {
    const std::size_t image = run / runs;
    const std::size_t begin = run % runs * rows;
    kernel({.window = window,
            .channels = channels,
            .row_begin = begin,
            .row_end = std::min(window.out_h, begin + rows),
            .x = x.data() + image * window.in_h * window.in_w * channels,
            .dy = gradient.dy.data() + image * window.out_h * window.out_w * channels,
            .dw = sum});
  });
  return channels_first(taps, gradient.w);
}

}  // namespace lamina::nn
