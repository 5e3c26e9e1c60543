#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/tflite/importer.h"

namespace lamina::models::tflite {
namespace {

// How far the integers' stated scale may be from the product of two others that it has to be.
constexpr double kScaleTolerance = 0.02;

std::size_t positive(const char* what, std::int32_t number) {
  check(number >= 1, what, " must be at least 1: it is ", number);
  return static_cast<std::size_t>(number);
}

nn::Size2 size(const char* what, std::int32_t h, std::int32_t w) {
  return {positive(what, h), positive(what, w)};
}

template <class Options>
const Options& required(const Options* options) {
  check(options != nullptr, "must have its options: it has none, or another operator's");
  return *options;
}

Extents weight_shape(const TensorView& weight, std::size_t rank) {
  check(weight.shape.size() == rank, "weights must have ", rank, " axes: tensor ", weight.index,
        " is ", printed(weight.shape));
  return weight.shape;
}

// [1, KH, KW, O] to [O, KH, KW, 1].
Tensor channels_first(const Tensor& weight) {
  const Shape& s = weight.shape();
  const std::size_t taps = s[1] * s[2];
  Tensor turned = Tensor::uninitialized({s[3], s[1], s[2], 1});
  float* to = turned.data();
  for (std::size_t c = 0; c < s[3]; ++c) {
    for (std::size_t tap = 0; tap < taps; ++tap) {
      *to++ = std::as_const(weight).data()[tap * s[3] + c];
    }
  }
  return turned;
}

nn::Padding sum(const nn::Padding& a, const nn::Padding& b) {
  return {a.top + b.top, a.bottom + b.bottom, a.left + b.left, a.right + b.right};
}

}  // namespace

Tensor Importer::bias(const Operator& op, std::size_t count) {
  if (!has_input(op, 2)) {
    return {};
  }
  const TensorView tensor = constant(op, 2);
  check(tensor.size() == count, "bias must have a value for each output channel: tensor ",
        tensor.index, " is ", printed(tensor.shape), ", the channels are ", count);
  if (!tensor.is_integer()) {
    return constants_.to_float(tensor).reshape({count});
  }
  const auto x = affine(input(op, 0));
  const TensorView weight = constant(op, 1);
  check(x && weight.quantization != nullptr,
        "integers as bias must have input and weights of integers: they have not");
  std::vector<double> scales;
  for (const float scale : numbers(weight.quantization->scale())) {
    scales.push_back(x->scale * scale);
  }
  check(scales.size() == 1 || scales.size() == count,
        "weights must have one scale, or one for each output channel: there are ", scales.size(),
        ", the channels are ", count);
  const auto stated = tensor.quantization == nullptr ? std::span<const float>()
                                                     : numbers(tensor.quantization->scale());
  check(stated.empty() || stated.size() == scales.size(),
        "bias must have as many scales as the weights: it has ", stated.size(), ", they have ",
        scales.size());
  for (std::size_t i = 0; i < stated.size(); ++i) {
    check(std::abs(stated[i] - scales[i]) <= kScaleTolerance * scales[i],
          "bias must have the scale of the input times that of the weights: it has ", stated[i],
          ", they have ", scales[i]);
  }
  return constants_.scaled(tensor, std::move(scales));
}

void Importer::convolve(const Operator& op, const Tensor& weight, std::size_t groups,
                        const Window& window) {
  const Value& x = value(op, 0);
  const Shape in = shape(x);
  const Shape& w = weight.shape();
  const Tensor added = bias(op, w[0]);
  if (in.rank() == 2) {
    check(w[1] == 1 && w[2] == 1 && w[3] == in[1], "weights must be those of one pixel of ", in[1],
          " channels, as the input is: they are ", w, " (OHWI)");
    make_bounded(op, nn::LinearNode{weight.reshape({w[0], w[3]}), added}, {x.node}, {in[0], w[0]},
                 window.activation);
    return;
  }
  check(in.rank() == 4, "input must be [N, H, W, C]: it is ", in);
  nn::Padding padding = x.padding;
  if (window.padding == PaddingCode::same) {
    const nn::Size2 padded = {in[1] + padding.top + padding.bottom,
                              in[2] + padding.left + padding.right};
    padding = sum(padding, nn::same_padding(padded, {w[1], w[2]}, window.stride, window.dilation));
  } else {
    check(window.padding == PaddingCode::valid, "padding must be SAME or VALID: it has number ",
          static_cast<int>(window.padding));
  }
  const nn::Conv2dOptions options{
      .stride = window.stride, .padding = padding, .dilation = window.dilation, .groups = groups};
  make_bounded(op, nn::ConvolutionNode{weight, added, options}, {x.node},
               nn::conv2d_shape(in, w, options), window.activation);
}

void Importer::add_convolution(const Operator& op) {
  const ConvolutionOptions& options = required(op.table->options_as_ConvolutionOptions());
  const TensorView stored = constant(op, 1);
  const Extents w = weight_shape(stored, 4);
  const Shape in = shape(value(op, 0));
  const std::size_t channels = in[in.rank() - 1];
  check(channels % w[3] == 0, "input channels must be a multiple of the weights': the input is ",
        in, ", tensor ", stored.index, " is ", printed(w), " (OHWI)");
  convolve(op, constants_.to_float(stored), channels / w[3],
           {.stride = size("strides", options.stride_h(), options.stride_w()),
            .dilation = size("dilations", options.dilation_h(), options.dilation_w()),
            .padding = options.padding(),
            .activation = options.activation()});
}

void Importer::add_depthwise(const Operator& op) {
  const DepthwiseOptions& options = required(op.table->options_as_DepthwiseOptions());
  const TensorView stored = constant(op, 1);
  const Extents w = weight_shape(stored, 4);
  const Shape in = shape(value(op, 0));
  check(w[0] == 1 && in.rank() == 4 && w[3] % in[3] == 0,
        "weights must be [1, KH, KW, C x multiplier]: the input is ", in, ", tensor ", stored.index,
        " is ", printed(w));
  convolve(op, channels_first(constants_.to_float(stored)), in[3],
           {.stride = size("strides", options.stride_h(), options.stride_w()),
            .dilation = size("dilations", options.dilation_h(), options.dilation_w()),
            .padding = options.padding(),
            .activation = options.activation()});
}

void Importer::add_fully_connected(const Operator& op) {
  const FullyConnectedOptions& options = required(op.table->options_as_FullyConnectedOptions());
  check(options.weights_format() == 0, "weights must be stored in rows: their format has number ",
        static_cast<int>(options.weights_format()));
  const TensorView stored = constant(op, 1);
  const Extents w = weight_shape(stored, 2);
  const Shape in = shape(unpadded(op, 0));
  const std::size_t features = in.size() / in[0];
  check(features == w[1] && features == in[in.rank() - 1],
        "input must be one pixel of as many channels as the weights take: the input is ", in,
        ", tensor ", stored.index, " is ", printed(w));
  convolve(op, constants_.to_float(stored).reshape({w[0], 1, 1, w[1]}), 1,
           {.stride = 1,
            .dilation = 1,
            .padding = PaddingCode::valid,
            .activation = options.activation()});
}

}  // namespace lamina::models::tflite
