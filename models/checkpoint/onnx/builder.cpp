#include "models/checkpoint/onnx/builder.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "models/checkpoint/limits.h"

namespace lamina::models::onnx {
namespace {

bool is_unbounded(nn::Bounds bounds) { return std::isinf(bounds.lo) && std::isinf(bounds.hi); }

Tensor sum(const Tensor& a, const Tensor& b) {
  Tensor result = b.clone();
  if (!a.empty()) {
    std::ranges::transform(a.values(), b.values(), result.data(), std::plus<>());
  }
  return result;
}

}  // namespace

std::vector<Axes> channels_first() { return {{Axis::n}, {Axis::c}, {Axis::h}, {Axis::w}}; }

std::size_t Builder::push(nn::Operation operation, std::vector<std::size_t> inputs,
                          const Shape& shape) {
  check(shape.size() > 0 && shape.size() <= limits::kGraphValues,
        "tensors of one image must have from 1 to ", limits::kGraphValues, " values: got ", shape);
  graph_.nodes.push_back({.name = name_,
                          .operation = std::move(operation),
                          .inputs = std::move(inputs),
                          .shape = shape});
  return graph_.nodes.size() - 1;
}

View Builder::input(const Shape& shape, std::vector<Axes> axes) {
  return {.node = push(nn::InputNode{}, {}, shape), .axes = std::move(axes)};
}

View Builder::convolution(const View& x, const Tensor& weight, const Tensor& bias,
                          const nn::Conv2dOptions& options) {
  const Shape y = nn::conv2d_shape(shape(x), weight.shape(), options);
  check(bias.empty() || bias.size() == weight.shape()[0],
        "bias must have a value for each output channel: weight ", weight.shape(), " (OHWI) has ",
        weight.shape()[0], ", bias ", bias.size());
  budget_.charge(weight.size() + bias.size());
  return {.node = push(nn::ConvolutionNode{weight, bias, options}, {x.node}, y),
          .axes = channels_first(),
          .is_only_use = true};
}

View Builder::linear(const View& x, const Tensor& weight, const Tensor& bias) {
  const Shape& in = shape(x);
  check(in.rank() == 2 && in[1] == weight.shape()[1],
        "input must have as many values as the weight takes: input has ", in[in.rank() - 1],
        ", weight takes ", weight.shape()[1]);
  check(bias.empty() || bias.size() == weight.shape()[0],
        "bias must have a value for each output: weight gives ", weight.shape()[0], ", bias has ",
        bias.size());
  budget_.charge(weight.size() + bias.size());
  const Shape y = {in[0], weight.shape()[0]};
  return {.node = push(nn::LinearNode{weight, bias}, {x.node}, y),
          .axes = {{Axis::n}, {Axis::c}},
          .is_only_use = true};
}

View Builder::affine(const View& x, nn::BatchNormNode norm) {
  const Shape& in = shape(x);
  for (const Tensor* values : {&norm.gamma, &norm.beta, &norm.mean, &norm.variance}) {
    check(values->size() == in[in.rank() - 1],
          "there must be a value for each channel: the input has ", in[in.rank() - 1], ", got ",
          values->size());
  }
  budget_.charge(4 * norm.gamma.size());
  View y = x;
  y.node = push(std::move(norm), {x.node}, in);
  y.is_only_use = true;
  return y;
}

View Builder::clamp(const View& x, nn::Bounds bounds) {
  check(bounds.lo <= bounds.hi, "bounds must be in order: lo is ", bounds.lo, ", hi is ",
        bounds.hi);
  View y = x;
  y.node = push(nn::ClampNode{bounds}, {x.node}, shape(x));
  y.is_only_use = true;
  return y;
}

View Builder::add(const View& a, const View& b) {
  View y = a;
  y.node = push(nn::AddNode{}, {a.node, b.node}, shape(a));
  y.is_only_use = true;
  return y;
}

View Builder::softmax(const View& x) {
  View y = x;
  y.node = push(nn::SoftmaxNode{}, {x.node}, shape(x));
  y.is_only_use = true;
  return y;
}

View Builder::pool(const View& x) {
  const Shape& in = shape(x);
  return {.node = push(nn::PoolNode{}, {x.node}, {in[0], in[3]}),
          .axes = {{Axis::n}, {Axis::c}},
          .is_only_use = true};
}

bool Builder::add_to_bias(const View& x, const Tensor& bias) {
  nn::Operation& operation = graph_.nodes[x.node].operation;
  if (!x.is_only_use) {
    return false;
  }
  if (auto* linear = std::get_if<nn::LinearNode>(&operation)) {
    linear->bias = sum(linear->bias, bias);
    return true;
  }
  auto* convolution = std::get_if<nn::ConvolutionNode>(&operation);
  if (convolution == nullptr || !is_unbounded(convolution->options.bounds)) {
    return false;
  }
  convolution->bias = sum(convolution->bias, bias);
  return true;
}

// A depthwise convolution of 1 x 1 that multiplies by one.
View Builder::without_padding(const View& x) {
  if (x.padding == nn::Padding{}) {
    return x;
  }
  const std::size_t channels = shape(x)[3];
  View y = x;
  y.padding = {};
  y.node = convolution(x, Tensor::full({channels, 1, 1, 1}, 1.0f), {},
                       {.padding = x.padding, .groups = channels})
               .node;
  y.is_only_use = true;
  return y;
}

// The mean of one pixel is that pixel.
View Builder::as_vector(const View& x) {
  const Shape& in = shape(x);
  if (in.rank() == 2) {
    return x;
  }
  check(in[1] == 1 && in[2] == 1, "the image must have one pixel: it has ", in[1], " x ", in[2]);
  View y = x;
  y.node = pool(x).node;
  return y;
}

void Builder::remark(const std::string& sentence) {
  if (std::ranges::find(remarks_, sentence) == remarks_.end()) {
    remarks_.push_back(sentence);
  }
}

nn::Graph Builder::finish(const View& x) {
  std::vector<bool> needed(graph_.nodes.size(), false);
  needed[x.node] = true;
  std::vector<std::size_t> place(graph_.nodes.size(), 0);
  for (std::size_t i = x.node + 1; i-- > 0;) {
    for (const std::size_t input : graph_.nodes[i].inputs) {
      needed[input] = needed[input] || needed[i];
    }
  }
  check(needed[0] && x.node > 0, "output must be computed from the input");
  nn::Graph graph;
  for (std::size_t i = 0; i <= x.node; ++i) {
    if (!needed[i]) {
      continue;
    }
    place[i] = graph.nodes.size();
    for (std::size_t& input : graph_.nodes[i].inputs) {
      input = place[input];
    }
    graph.nodes.push_back(std::move(graph_.nodes[i]));
  }
  graph.output = graph.nodes.size() - 1;
  return graph;
}

}  // namespace lamina::models::onnx
