#include "core/error.h"
#include "tests/models/onnx/cases.h"
#include "tests/support/tensors.h"

namespace lamina::test {
namespace {

// A model of one Conv, its attributes still to come.
struct Convolution {
  Tensor weight;
  Tensor bias;
  OnnxModel model;
  OnnxNode node;

  Convolution(const Shape& ohwi, const Integers& input = {1, 3, 6, 5})
      : weight(random_tensor(ohwi, 1)),
        bias(random_tensor({ohwi[0]}, 2)),
        model(13, input),
        node(model.node("Conv", {"x", "conv.weight", "conv.bias"})) {
    const Shape& w = ohwi;
    const auto extent = [&](std::size_t axis) { return static_cast<std::int64_t>(w[axis]); };
    model.floats("conv.weight", {extent(0), extent(3), extent(1), extent(2)}, to_oihw(weight));
    model.floats("conv.bias", {extent(0)}, bias);
  }

  OnnxCase as_case(const std::string& name, const nn::Conv2dOptions& options,
                   const Shape& input = {1, 6, 5, 3}) {
    return {.name = name,
            .model = model,
            .want = [w = weight, b = bias,
                     options](const Tensor& x) { return nn::conv2d(x, w, b, options); },
            .input = input};
  }
};

OnnxCase conv_with_everything() {
  Convolution one({5, 3, 2, 3});
  one.node.with("kernel_shape", Integers{3, 2})
      .with("strides", Integers{2, 1})
      .with("dilations", Integers{1, 2})
      .with("pads", Integers{1, 0, 2, 1});
  return one.as_case("conv", {.stride = {2, 1},
                              .padding = {.top = 1, .bottom = 2, .left = 0, .right = 1},
                              .dilation = {1, 2}});
}

OnnxCase conv_auto_pad(const char* mode, const nn::Padding& padding) {
  Convolution one({4, 3, 3, 3});
  one.node.with("auto_pad", mode)
      .with("strides", Integers{2, 2})
      .with("kernel_shape", Integers{3, 3});
  return one.as_case(std::string("conv_") + mode, {.stride = 2, .padding = padding});
}

OnnxCase conv_groups(const char* name, std::size_t outputs, std::size_t groups) {
  Convolution one({outputs, 3, 3, 4 / groups}, {0, 4, 6, 5});
  one.node.with("group", static_cast<std::int64_t>(groups)).with("pads", Integers{1, 1, 1, 1});
  return one.as_case(name, {.padding = nn::Padding::symmetric(1), .groups = groups}, {1, 6, 5, 4});
}

OnnxCase average_pool() {
  OnnxModel model;
  model.node("AveragePool", {"x"})
      .with("kernel_shape", Integers{3, 2})
      .with("strides", Integers{2, 1})
      .with("pads", Integers{1, 0, 0, 1})
      .with("count_include_pad", std::int64_t{1});
  return {.name = "average_pool", .model = model, .want = [](const Tensor& x) {
            return nn::conv2d(x, Tensor::full({3, 3, 2, 1}, 1.0f / 6.0f), {},
                              {.stride = {2, 1},
                               .padding = {.top = 1, .bottom = 0, .left = 0, .right = 1},
                               .groups = 3});
          }};
}

OnnxCase average_pool_of_the_image() {
  OnnxModel model;
  model.node("AveragePool", {"x"}, "pooled").with("kernel_shape", Integers{6, 5});
  model.node("Flatten", {"pooled"});
  return {.name = "average_pool_of_the_image", .model = model, .want = nn::global_average_pool};
}

OnnxCase global_average_pool() {
  OnnxModel model;
  model.node("GlobalAveragePool", {"x"}, "pooled");
  model.node("Squeeze", {"pooled", "axes"});
  model.integers("axes", {2, 3});
  return {.name = "global_average_pool", .model = model, .want = nn::global_average_pool};
}

OnnxCase reduce_mean(std::int64_t opset, std::int64_t keepdims) {
  OnnxModel model(opset);
  const char* result = keepdims != 0 ? "mean" : "y";
  if (opset >= 18) {
    model.integers("axes", {-1, -2});
    model.node("ReduceMean", {"x", "axes"}, result).with("keepdims", keepdims);
  } else {
    model.node("ReduceMean", {"x"}, result).with("keepdims", keepdims).with("axes", Integers{2, 3});
  }
  if (keepdims != 0) {
    model.node("Flatten", {"mean"});
  }
  return {.name = text("reduce_mean_", opset, keepdims != 0 ? "_kept" : ""),
          .model = model,
          .want = nn::global_average_pool};
}

// The pads of PyTorch's exporter, in an order of their own, then turned around by arithmetic.
OnnxCase pad_chain() {
  Convolution one({4, 3, 3, 3});
  OnnxModel& model = one.model;
  model.message().mutable_graph()->clear_node();
  model.integers("pads", {0, 1, 0, 2}).integers("four", {4}).integers("square", {-1, 2});
  model.integers("start", {-1}).integers("end", {-9223372036854775807}).integers("axis", {0});
  model.integers("step", {-1}).integers("flat", {-1});
  model.node("ConstantOfShape", {"four"}, "zeros")
      .tensor("value")
      ->set_data_type(proto::Tensor::INT64);
  proto::Node* zeros = model.message().mutable_graph()->mutable_node(0);
  zeros->mutable_attribute(0)->mutable_t()->add_dims(1);
  zeros->mutable_attribute(0)->mutable_t()->add_int64_data(0);
  model.node("Concat", {"pads", "zeros"}, "all").with("axis", std::int64_t{0});
  model.node("Reshape", {"all", "square"}, "pairs");
  model.node("Slice", {"pairs", "start", "end", "axis", "step"}, "turned");
  model.node("Transpose", {"turned"}, "columns").with("perm", Integers{1, 0});
  model.node("Reshape", {"columns", "flat"}, "list");
  model.node("Cast", {"list"}, "onnx_pads").with("to", std::int64_t{7});
  model.node("Pad", {"x", "onnx_pads", ""}, "padded").with("mode", "constant");
  model.node("Conv", {"padded", "conv.weight", "conv.bias"}).with("strides", Integers{2, 2});
  return one.as_case("pad_chain",
                     {.stride = 2, .padding = {.top = 0, .bottom = 2, .left = 0, .right = 1}});
}

OnnxCase pad_before_clip() {
  OnnxModel model(10);
  model.node("Pad", {"x"}, "padded").with("pads", Integers{0, 0, 1, 0, 0, 0, 0, 2});
  model.node("Clip", {"padded"}).with("min", 0.25f);
  return {.name = "pad_before_clip", .model = model, .want = [](const Tensor& x) {
            const Tensor padded = nn::conv2d(
                x, Tensor::full({3, 1, 1, 1}, 1.0f), {},
                {.padding = {.top = 1, .bottom = 0, .left = 0, .right = 2}, .groups = 3});
            return nn::clamp(padded, {.lo = 0.25f});
          }};
}

}  // namespace

std::vector<OnnxCase> window_cases() {
  return {conv_with_everything(),
          conv_auto_pad("SAME_UPPER", {.top = 0, .bottom = 1, .left = 1, .right = 1}),
          conv_auto_pad("SAME_LOWER", {.top = 1, .bottom = 0, .left = 1, .right = 1}),
          conv_auto_pad("VALID", {}),
          conv_groups("conv_groups", 6, 2),
          conv_groups("conv_depthwise", 4, 4),
          conv_groups("conv_depth_multiplier", 8, 4),
          average_pool(),
          average_pool_of_the_image(),
          global_average_pool(),
          reduce_mean(13, 0),
          reduce_mean(13, 1),
          reduce_mean(18, 1),
          pad_chain(),
          pad_before_clip()};
}

}  // namespace lamina::test
