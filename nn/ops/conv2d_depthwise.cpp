#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/conv2d.h"

namespace lamina::nn {
namespace {

bool is_padded_at_most_once(std::size_t in, std::size_t out, std::size_t stride, std::size_t pad) {
  return pad <= 1 && (out - 1) * stride + 3 <= in + pad + 1;
}

}  // namespace

bool is_depthwise3x3(const kernels::Window& window) {
  const std::size_t stride = window.stride_h;
  return window.kernel_h == 3 && window.kernel_w == 3 && window.dilation_h == 1 &&
         window.dilation_w == 1 && window.stride_w == stride && stride <= 2 &&
         is_padded_at_most_once(window.in_h, window.out_h, stride, window.pad_top) &&
         is_padded_at_most_once(window.in_w, window.out_w, stride, window.pad_left);
}

Tensor channels_last(const Tensor& w) {
  const std::size_t channels = w.shape()[0];
  const std::size_t taps = w.size() / channels;
  Tensor result = Tensor::uninitialized({taps, channels});
  for (std::size_t tap = 0; tap < taps; ++tap) {
    for (std::size_t c = 0; c < channels; ++c) {
      result.data()[tap * channels + c] = w.data()[c * taps + tap];
    }
  }
  return result;
}

namespace {

void convolve(const Convolution& convolution, Tensor& y) {
  const auto& [kernels, x, w, bias, window, groups, bounds] = convolution;
  const auto kernel = is_depthwise3x3(window) ? kernels.depthwise3x3 : kernels.depthwise;
  const Tensor taps = channels_last(w);
  const std::size_t channels = convolution.in_channels();
  const std::size_t in_floats = window.in_h * window.in_w * channels;
  const std::size_t out_floats = window.out_h * window.out_w * channels;
  const std::size_t rows = task_rows(window.out_w * channels);
  const std::size_t blocks = divide_up(window.out_h, rows);
  parallel_for(convolution.images() * blocks, [&](std::size_t task) {
    const std::size_t image = task / blocks;
    const std::size_t begin = task % blocks * rows;
    kernel({.window = convolution.window,
            .channels = channels,
            .row_begin = begin,
            .row_end = std::min(convolution.window.out_h, begin + rows),
            .x = convolution.x.data() + image * in_floats,
            .w = taps.data(),
            .bias = convolution.bias,
            .y = y.data() + image * out_floats,
            .lo = convolution.bounds.lo,
            .hi = convolution.bounds.hi});
  });
}

}  // namespace

const ConvolutionPath kDepthwise = {.convolve = convolve,
                                    .input_gradient = depthwise_input_gradient,
                                    .weight_gradient = depthwise_weight_gradient};

}  // namespace lamina::nn
