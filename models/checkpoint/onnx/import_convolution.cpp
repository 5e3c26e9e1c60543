#include <algorithm>

#include "core/error.h"
#include "models/checkpoint/onnx/operations.h"
#include "models/checkpoint/onnx/weights.h"
#include "models/checkpoint/onnx/windows.h"

namespace lamina::models::onnx {
namespace {

// On the pooled channels [N, C] a convolution of 1 x 1 is a product.
View convolve_vector(Builder& builder, const View& x, const Tensor& weight, const Tensor& bias,
                     const nn::Conv2dOptions& options) {
  const Shape& w = weight.shape();
  const bool is_product = w[1] == 1 && w[2] == 1 && options.padding == nn::Padding{};
  check(is_product && options.groups == 1, "on a single pixel it must be a product: weight is ", w,
        " (OHWI), groups are ", options.groups, is_product ? "" : ", or there is padding");
  View y = builder.linear(x, weight.reshape({w[0], w[3]}), bias);
  y.axes = {{Axis::n}, {Axis::c}, {}, {}};
  return y;
}

std::size_t read_groups(const Operation& op) {
  const std::int64_t groups = op.attributes().integer("group", 1);
  check(groups >= 1, "group must be at least 1: got ", groups);
  return static_cast<std::size_t>(groups);
}

bool all_zero(const Dims& numbers) {
  return std::ranges::all_of(numbers, [](std::int64_t number) { return number == 0; });
}

}  // namespace

void import_conv(Operation& op) {
  const View x = op.image(0);
  const Shape in = op.builder().shape(x);
  const Tensor weight = convolution_weight(op.constant(1, "weight"));
  const Shape& w = weight.shape();
  const nn::Size2 size = image_size(in);
  const nn::Size2 padded = {size.h + x.padding.top + x.padding.bottom,
                            size.w + x.padding.left + x.padding.right};
  const WindowAttributes window = read_window(op.attributes(), {w[1], w[2]}, padded);
  const Tensor bias = op.has(2) ? channel_values(op.constant(2, "bias"), w[0], "bias") : Tensor();
  const nn::Conv2dOptions options{.stride = window.stride,
                                  .padding = together(x.padding, window.padding),
                                  .dilation = window.dilation,
                                  .groups = read_groups(op)};
  op.builder().set_name(op.weight_name(1));
  op.result(in.rank() == 4 ? op.builder().convolution(x, weight, bias, options)
                           : convolve_vector(op.builder(), x, weight, bias, options));
}

// What follows adds the zeros itself: a convolution or a pool.
void import_pad(Operation& op) {
  const std::string mode = op.attributes().word("mode", "constant");
  check(mode == "constant", "mode must be constant: got ", shortened(mode));
  const float value = op.number("value", 2).value_or(0.0f);
  check(value == 0.0f, "value must be 0: got ", value);
  check(!op.has(3), "axes must not be given: they are");
  const Dims pads = op.integers("pads", 1).value_or(Dims{});
  View x = op.padded_view(0);
  const std::size_t rank = x.axes.size();
  check(pads.size() == 2 * rank, "pads must be two numbers for each axis: got ", printed(pads),
        " for ", printed(op.builder().dims(x)));
  if (all_zero(pads)) {
    return op.result(x);
  }
  Dims window(4, 0);
  for (std::size_t i = 0; i < rank; ++i) {
    if (pads[i] == 0 && pads[rank + i] == 0) {
      continue;
    }
    const bool is_height = x.axes[i] == Axes{Axis::h};
    check((is_height || x.axes[i] == Axes{Axis::w}) && op.builder().shape(x).rank() == 4,
          "only height and width of images may be padded: pads are ", printed(pads));
    window[is_height ? 0 : 1] = pads[i];
    window[is_height ? 2 : 3] = pads[rank + i];
  }
  x.padding = together(x.padding, to_padding(window));
  op.result(x);
}

void import_global_average_pool(Operation& op) {
  op.image(0);
  const View x = op.view(0);
  op.builder().set_name("pool");
  View y = op.builder().shape(x).rank() == 4 ? op.builder().pool(x) : x;
  y.axes = {{Axis::n}, {Axis::c}, {}, {}};
  op.result(y);
}

// A convolution of each channel with equal weights, unless the window is the image.
void import_average_pool(Operation& op) {
  View x = op.image(0);
  const Shape in = op.builder().shape(x);
  const Dims kernel = op.attributes().integers("kernel_shape");
  check(kernel.size() == 2 && kernel[0] >= 1 && kernel[1] >= 1,
        "kernel_shape must be two numbers: got ", printed(kernel));
  const nn::Size2 size(static_cast<std::size_t>(kernel[0]), static_cast<std::size_t>(kernel[1]));
  x = op.builder().without_padding(x);
  const nn::Size2 image = image_size(op.builder().shape(x));
  const WindowAttributes window = read_window(op.attributes(), size, image);
  const bool has_padding = window.padding != nn::Padding{};
  if (size == image && !has_padding) {
    return import_global_average_pool(op);
  }
  check(in.rank() == 4, "window must fit in the image of one pixel: it is ", size.h, " x ", size.w);
  check(!has_padding || op.attributes().integer("count_include_pad", 0) == 1,
        "padding must count as pixels: count_include_pad is 0");
  const nn::Conv2dOptions options{.stride = window.stride,
                                  .padding = window.padding,
                                  .dilation = window.dilation,
                                  .groups = in[3]};
  const std::size_t h = image.h + window.padding.top + window.padding.bottom;
  const std::size_t w = image.w + window.padding.left + window.padding.right;
  check(size.h <= h && size.w <= w, "window must fit in the image: it is ", size.h, " x ", size.w,
        ", the image ", h, " x ", w);
  check(op.attributes().integer("ceil_mode", 0) == 0 ||
            ((h - size.h) % window.stride.h == 0 && (w - size.w) % window.stride.w == 0),
        "windows must not reach out of the image: ceil_mode is 1");
  op.builder().charge(in[3] * size.h * size.w);
  op.builder().set_name("average_pool");
  const float share = 1.0f / static_cast<float>(size.h * size.w);
  op.result(
      op.builder().convolution(x, Tensor::full({in[3], size.h, size.w, 1}, share), {}, options));
}

// Over height and width.
void import_reduce_mean(Operation& op) {
  const View x = op.view(0);
  const Shape in = op.builder().shape(x);
  const std::size_t rank = x.axes.size();
  const Dims axes = op.integers("axes", 1).value_or(Dims{});
  Axes reduced;
  std::vector<bool> taken(rank, false);
  for (const std::int64_t axis : axes) {
    const std::size_t i = checked_axis(axis, rank, "axes");
    taken[i] = true;
    reduced.insert(reduced.end(), x.axes[i].begin(), x.axes[i].end());
  }
  std::ranges::sort(reduced);
  const bool is_pool = runs_over(reduced, {Axis::h, Axis::w}, in) &&
                       std::ranges::find(reduced, Axis::c) == reduced.end();
  check(is_pool && !axes.empty(), "axes must be height and width: got ", printed(axes), " of ",
        printed(op.builder().dims(x)));
  op.builder().set_name("pool");
  View y = in.rank() == 4 ? op.builder().pool(x) : x;
  y.axes.clear();
  for (std::size_t i = 0; i < rank; ++i) {
    if (!taken[i]) {
      y.axes.push_back(x.axes[i]);
    } else if (op.attributes().integer("keepdims", 1) != 0) {
      y.axes.emplace_back();
    }
  }
  op.result(y);
}

}  // namespace lamina::models::onnx
