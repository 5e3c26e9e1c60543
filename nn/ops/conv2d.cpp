#include "nn/ops/conv2d.h"

#include <algorithm>

#include "nn/kernels.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {
namespace {

// Far beyond any use, and small enough that no extent computed from it overflows.
constexpr std::size_t kMaxOption = 1 << 20;

void check_numbers(const Conv2dOptions& options) {
  const auto [stride, padding, dilation, groups, bounds] = options;
  for (const std::size_t number : {stride.h, stride.w, dilation.h, dilation.w, groups}) {
    check(number >= 1 && number <= kMaxOption,
          "conv2d: strides, dilations and groups must be from 1 to ", kMaxOption, ": got ", number);
  }
  for (const std::size_t pad : {padding.top, padding.bottom, padding.left, padding.right}) {
    check(pad <= kMaxOption, "conv2d: padding must be at most ", kMaxOption, ": got ", pad);
  }
  check_bounds("conv2d", bounds);
}

void check_channels(const Shape& x, const Shape& w, std::size_t groups) {
  check(x.rank() == 4, "conv2d: input must be [N, H, W, C]: got ", x);
  check(w.rank() == 4 && w.size() > 0, "conv2d: weight must be [O, KH, KW, C / groups]: got ", w);
  check(x[3] == w[3] * groups, "conv2d: input channels must equal weight channels x groups: input ",
        x, " (NHWC) has ", x[3], ", weight ", w, " (OHWI) x ", groups,
        groups == 1 ? " group" : " groups", " needs ", w[3] * groups);
  check(w[0] % groups == 0, "conv2d: output channels must be a multiple of the groups: weight ", w,
        " (OHWI) has ", w[0], ", groups are ", groups);
}

kernels::Window make_window(const Shape& x, const Shape& w, const Conv2dOptions& options) {
  const auto& [stride, padding, dilation, groups, bounds] = options;
  const std::size_t padded_h = x[1] + padding.top + padding.bottom;
  const std::size_t padded_w = x[2] + padding.left + padding.right;
  const std::size_t reach_h = dilation.h * (w[1] - 1) + 1;
  const std::size_t reach_w = dilation.w * (w[2] - 1) + 1;
  check(x[1] > 0 && x[2] > 0 && reach_h <= padded_h && reach_w <= padded_w,
        "conv2d: window must fit in the padded image: weight ", w, " (OHWI) with dilation covers ",
        reach_h, " x ", reach_w, ", input ", x, " (NHWC) with padding is ", padded_h, " x ",
        padded_w);
  return {.in_h = x[1],
          .in_w = x[2],
          .out_h = (padded_h - reach_h) / stride.h + 1,
          .out_w = (padded_w - reach_w) / stride.w + 1,
          .kernel_h = w[1],
          .kernel_w = w[2],
          .stride_h = stride.h,
          .stride_w = stride.w,
          .dilation_h = dilation.h,
          .dilation_w = dilation.w,
          .pad_top = padding.top,
          .pad_left = padding.left};
}

}  // namespace

bool is_pointwise(const kernels::Window& window, std::size_t groups) {
  return groups == 1 && window.kernel_h == 1 && window.kernel_w == 1 && window.stride_h == 1 &&
         window.stride_w == 1 && window.out_h == window.in_h && window.out_w == window.in_w;
}

const ConvolutionPath& convolution_path(const Shape& x, const Shape& w,
                                        const kernels::Window& window, std::size_t groups) {
  if (is_pointwise(window, groups)) {
    return kPointwise;
  }
  return groups == x[3] && groups == w[0] ? kDepthwise : kIm2col;
}

kernels::Window conv2d_window(const Shape& x, const Shape& w, const Conv2dOptions& options) {
  check_numbers(options);
  check_channels(x, w, options.groups);
  return make_window(x, w, options);
}

Padding same_padding(Size2 input, Size2 kernel, Size2 stride, Size2 dilation) {
  const auto total = [](std::size_t in, std::size_t k, std::size_t s, std::size_t d) {
    check(k >= 1 && s >= 1, "same_padding: kernel and stride must be at least 1: kernel is ", k,
          ", stride ", s);
    const std::size_t out = (in + s - 1) / s;
    const std::size_t needed = (std::max<std::size_t>(out, 1) - 1) * s + d * (k - 1) + 1;
    return needed > in ? needed - in : 0;
  };
  const std::size_t h = total(input.h, kernel.h, stride.h, dilation.h);
  const std::size_t w = total(input.w, kernel.w, stride.w, dilation.w);
  return {.top = h / 2, .bottom = h - h / 2, .left = w / 2, .right = w - w / 2};
}

Shape conv2d_shape(const Shape& x, const Shape& w, const Conv2dOptions& options) {
  const kernels::Window window = conv2d_window(x, w, options);
  return {x[0], window.out_h, window.out_w, w[0]};
}

Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias, const Conv2dOptions& options) {
  const kernels::Window window = conv2d_window(x.shape(), w.shape(), options);
  const std::size_t out_channels = w.shape()[0];
  if (!bias.empty()) {
    check_vector("conv2d", "bias", bias, "weight", w.shape(), out_channels);
  }
  const Shape shape = {x.shape()[0], window.out_h, window.out_w, out_channels};
  if (Recorder* recorder = Recorder::active()) {
    return recorder->record(ConvolutionNode{w, bias, options}, {&x}, shape);
  }
  const Convolution convolution{.kernels = active_kernels(),
                                .x = x,
                                .w = w,
                                .bias = bias.data(),
                                .window = window,
                                .groups = options.groups,
                                .bounds = options.bounds};
  Tensor y = Tensor::uninitialized(shape);
  convolution_path(x.shape(), w.shape(), window, options.groups).convolve(convolution, y);
  if (!needs_gradient({&x, &w, &bias})) {
    return y;
  }
  return record("conv2d", y, {&x, &w, &bias}, conv2d_backward(convolution, bias, y));
}

}  // namespace lamina::nn
