#include "models/checkpoint/recognize_layers.h"

#include <utility>

#include "core/error.h"

namespace lamina::models {
namespace {

using nn::Padding;

// [O, KH, KW, I] to [O, I, KH, KW]; without a copy where that is the same order.
Tensor to_oihw(const Tensor& weight) {
  const Shape& s = weight.shape();
  const Shape turned = {s[0], s[3], s[1], s[2]};
  const std::size_t taps = s[1] * s[2];
  if (taps == 1 || s[3] == 1) {
    return weight.reshape(turned);
  }
  Tensor result = Tensor::uninitialized(turned);
  float* to = result.data();
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::size_t matrix = i / (taps * s[3]) * taps * s[3];
    to[i] = weight.data()[matrix + i % taps * s[3] + i / taps % s[3]];
  }
  return result;
}

// The padding that windows reach, along one axis: rows added after them are never read.
std::pair<std::size_t, std::size_t> reached(std::size_t in, std::size_t before, std::size_t after,
                                            std::size_t stride) {
  constexpr std::size_t kKernel = 3;
  const std::size_t out = (in + before + after - kKernel) / stride + 1;
  const std::size_t end = (out - 1) * stride + kKernel;
  return {before, end > in + before ? end - in - before : 0};
}

bool same_windows(const Shape& in, const Padding& a, const Padding& b, std::size_t stride) {
  return reached(in[1], a.top, a.bottom, stride) == reached(in[1], b.top, b.bottom, stride) &&
         reached(in[2], a.left, a.right, stride) == reached(in[2], b.left, b.right, stride);
}

// "2", or "2 x 1" where the axes differ.
std::string printed(nn::Size2 size) {
  return size.h == size.w ? text(size.h) : text(size.h, " x ", size.w);
}

// A bias before a batch norm moves its mean.
Tensor without_bias(const Tensor& mean, const Tensor& bias) {
  if (bias.empty()) {
    return mean;
  }
  Tensor moved = mean.clone();
  float* to = moved.data();
  for (std::size_t i = 0; i < bias.size(); ++i) {
    to[i] -= bias.data()[i];
  }
  return moved;
}

}  // namespace

LayerReader::LayerReader(const GraphWalk& walk, Recognized& result)
    : walk_(walk), result_(result), names_(layer_names(Naming::torchvision)) {}

GraphLayer LayerReader::next(std::size_t node, const ExpectedLayer& expected) {
  const LayerNames& names = names_[layer_++];
  const std::string& name = names.convolution;
  const GraphLayer layer = walk_.convolution_after(node, name);
  check_window(layer, expected, name);
  if (expected.kernel > 1) {
    check_padding(layer, name);
  } else {
    check(layer.convolution->options.padding == Padding{}, name,
          " pads, MobileNetV2 does not there");
  }
  if (expected.has_activation) {
    check_activation(layer.bounds, name);
  } else {
    check(is_unbounded(layer.bounds), name, " has an activation, MobileNetV2 has none there");
  }
  store(layer, names);
  return layer;
}

void LayerReader::check_window(const GraphLayer& layer, const ExpectedLayer& expected,
                               const std::string& name) const {
  const nn::Conv2dOptions& options = layer.convolution->options;
  const Shape& weight = layer.convolution->weight.shape();
  check(weight[1] == expected.kernel && weight[2] == expected.kernel, name, " has a window of ",
        weight[1], " x ", weight[2], ", MobileNetV2 has ", expected.kernel, " x ", expected.kernel);
  const std::size_t groups = expected.is_depthwise ? walk_.shape(layer.input)[3] : 1;
  check(options.groups == groups, name, " has ", options.groups, " groups, MobileNetV2 has ",
        groups);
  const std::size_t channels = expected.channels.value_or(weight[0]);
  check(weight[0] == channels, name, " makes ", weight[0], " channels, MobileNetV2 makes ",
        channels);
  const std::size_t stride = expected.stride.value_or(options.stride.h == 1 ? 1 : 2);
  check(options.stride == nn::Size2(stride), name, " has stride ", printed(options.stride),
        ", MobileNetV2 has ", stride);
  check(expected.kernel == 1 || options.dilation == nn::Size2(1), name, " has dilation ",
        printed(options.dilation), ", MobileNetV2 has none");
}

void LayerReader::check_padding(const GraphLayer& layer, const std::string& name) {
  const nn::Conv2dOptions& options = layer.convolution->options;
  const Padding& padding = options.padding;
  const Shape& in = walk_.shape(layer.input);
  const std::size_t stride = options.stride.h;
  const Padding least = nn::same_padding({in[1], in[2]}, 3, stride);
  const bool symmetric = same_windows(in, padding, Padding::symmetric(1), stride);
  const bool same = same_windows(in, padding, least, stride);
  check(symmetric || same, name, " pads ", padding.top, ", ", padding.bottom, ", ", padding.left,
        " and ", padding.right,
        " pixels (above, below, left, right), MobileNetV2 1 each or as TensorFlow's \"SAME\"");
  may_be_symmetric_ = may_be_symmetric_ && symmetric;
  may_be_same_ = may_be_same_ && same;
  const char* const modes[] = {"1 pixel each", "as TensorFlow's \"SAME\""};
  check(may_be_symmetric_ || may_be_same_, name, " pads ", modes[same ? 1 : 0],
        ", the layers before ", modes[same ? 0 : 1]);
}

void LayerReader::check_activation(nn::Bounds bounds, const std::string& name) {
  check(!is_unbounded(bounds), name, " has no activation, MobileNetV2 has ReLU6");
  check(bounds.lo == 0.0f, name, " is clamped to at least ", bounds.lo, ", MobileNetV2 to 0");
  if (is_first()) {
    check(bounds.hi == nn::kRelu6Bounds.hi || bounds.hi == nn::kReluBounds.hi, name,
          " is clamped to at most ", bounds.hi, ", MobileNetV2 to 6");
    result_.activation = bounds;
  }
  check(bounds.hi == result_.activation.hi, name, " is clamped to at most ", bounds.hi,
        ", the layers before to ", result_.activation.hi);
}

void LayerReader::store(const GraphLayer& layer, const LayerNames& names) {
  const nn::ConvolutionNode& convolution = *layer.convolution;
  const NormState norm = layer.norm == nullptr ? NormState::folded : NormState::separate;
  check(is_first() || norm == result_.norm, names.convolution,
        norm == NormState::folded ? " has no batch norm, the layers before have one"
                                  : " has batch norm, the layers before have none");
  result_.norm = norm;
  auto& tensors = result_.checkpoint.tensors;
  tensors[names.convolution + ".weight"] = to_oihw(convolution.weight);
  if (norm == NormState::separate) {
    store_norm(layer, names.norm);
  } else {
    tensors[names.convolution + ".bias"] = convolution.bias.empty()
                                               ? Tensor::zeros({convolution.weight.shape()[0]})
                                               : convolution.bias;
  }
}

void LayerReader::store_norm(const GraphLayer& layer, const std::string& name) {
  const nn::BatchNormNode& norm = *layer.norm;
  const float epsilon = norm.options.epsilon;
  check(is_first() || epsilon == result_.options.epsilon, name, " has epsilon ", epsilon,
        ", the layers before have ", result_.options.epsilon);
  result_.options.epsilon = epsilon;
  auto& tensors = result_.checkpoint.tensors;
  tensors[name + ".weight"] = norm.gamma;
  tensors[name + ".bias"] = norm.beta;
  tensors[name + ".running_mean"] = without_bias(norm.mean, layer.convolution->bias);
  tensors[name + ".running_var"] = norm.variance;
}

}  // namespace lamina::models
