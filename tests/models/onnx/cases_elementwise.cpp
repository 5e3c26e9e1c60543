#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "tests/models/onnx/cases.h"
#include "tests/support/tensors.h"

namespace lamina::test {
namespace {

// Applies function(value, channel).
Tensor mapped(const Tensor& x, const std::function<float(float, std::size_t)>& function) {
  Tensor y = Tensor::uninitialized(x.shape());
  const std::size_t channels = x.shape()[x.shape().rank() - 1];
  for (std::size_t i = 0; i < x.size(); ++i) {
    y.data()[i] = function(x.data()[i], i % channels);
  }
  return y;
}

OnnxCase batch_norm() {
  OnnxModel model;
  std::vector<Tensor> values;
  for (const char* name : {"scale", "B", "mean", "var"}) {
    values.push_back(random_tensor({3}, values.size()));
    model.floats(name, {3}, values.back());
  }
  for (float& value : values[3].values()) {
    value = 1.0f + std::abs(value);
  }
  model.message().mutable_graph()->mutable_initializer()->RemoveLast();
  model.floats("var", {3}, values[3]);
  model.node("BatchNormalization", {"x", "scale", "B", "mean", "var"}).with("epsilon", 0.125f);
  return {.name = "batch_normalization", .model = model, .want = [values](const Tensor& x) {
            return nn::batch_norm(x, values[0], values[1], values[2], values[3],
                                  {.epsilon = 0.125f});
          }};
}

OnnxCase clip(std::int64_t opset) {
  OnnxModel model(opset);
  if (opset < 11) {
    model.node("Clip", {"x"}).with("min", -0.5f).with("max", 0.25f);
  } else {
    model.node("Constant", {}, "lo").tensor("value");
    proto::Tensor* lo =
        model.message().mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_t();
    lo->set_data_type(proto::Tensor::FLOAT);
    lo->add_float_data(-0.5f);
    model.floats("hi", {}, std::vector<float>{0.25f});
    model.node("Clip", {"x", "lo", "hi"});
  }
  return {.name = text("clip_", opset), .model = model, .want = [](const Tensor& x) {
            return nn::clamp(x, {.lo = -0.5f, .hi = 0.25f});
          }};
}

OnnxCase clip_without_bounds(const char* name, const std::vector<std::string>& inputs,
                             nn::Bounds bounds) {
  OnnxModel model;
  model.floats("bound", {}, std::vector<float>{0.125f});
  model.node("Clip", inputs);
  return {.name = name, .model = model, .want = [bounds](const Tensor& x) {
            return nn::clamp(x, bounds);
          }};
}

OnnxCase min_and_max() {
  OnnxModel model;
  model.floats("lo", {1}, std::vector<float>{-0.25f}).floats("hi", {}, std::vector<float>{0.5f});
  model.node("Max", {"x", "lo"}, "above");
  model.node("Min", {"hi", "above"});
  return {.name = "min_and_max", .model = model, .want = [](const Tensor& x) {
            return nn::clamp(x, {.lo = -0.25f, .hi = 0.5f});
          }};
}

OnnxCase additions() {
  const Tensor w = random_tensor({3, 1, 1, 3}, 1);
  OnnxModel model;
  model.floats("w", {3, 3, 1, 1}, w).floats("b", {1, 3, 1, 1}, std::vector<float>{1, 2, 3});
  model.node("Conv", {"x", "w"}, "conv");
  model.node("Add", {"conv", "b"}, "biased");
  model.node("Add", {"biased", "x"}, "sum");
  model.node("Add", {"sum", "conv"});
  return {.name = "additions", .model = model, .want = [w](const Tensor& x) {
            const Tensor conv = nn::conv2d(x, w, {});
            const Tensor biased = mapped(
                conv, [](float v, std::size_t c) { return v + 1.0f + static_cast<float>(c); });
            return nn::add(nn::add(biased, x), conv);
          }};
}

// (mean - x * 255) / std - 1 with the constants on either side.
OnnxCase normalization() {
  OnnxModel model;
  model.floats("mean", {3, 1, 1}, std::vector<float>{1, 2, 3});
  model.floats("std", {1, 3, 1, 1}, std::vector<float>{2, 4, 8});
  model.floats("scale", {}, std::vector<float>{255}).floats("one", {1}, std::vector<float>{1});
  model.node("Mul", {"scale", "x"}, "bytes");
  model.node("Sub", {"mean", "bytes"}, "centered");
  model.node("Div", {"centered", "std"}, "scaled");
  model.node("Sub", {"scaled", "one"});
  return {.name = "normalization",
          .model = model,
          .want =
              [](const Tensor& x) {
                return mapped(x, [](float v, std::size_t c) {
                  return (static_cast<float>(c + 1) - v * 255.0f) / static_cast<float>(2u << c) -
                         1.0f;
                });
              },
          .tolerance = 2e-4};
}

OnnxCase softmax(std::int64_t opset) {
  OnnxModel model(opset);
  model.node("GlobalAveragePool", {"x"}, "pooled");
  model.node("Flatten", {"pooled"}, "flat");
  model.node("Softmax", {"flat"});
  return {.name = text("softmax_", opset), .model = model, .want = [](const Tensor& x) {
            return nn::softmax(nn::global_average_pool(x));
          }};
}

OnnxCase softmax_of_pixels() {
  OnnxModel model;
  model.node("Softmax", {"x"}).with("axis", std::int64_t{1});
  return {.name = "softmax_of_pixels", .model = model, .want = nn::softmax};
}

OnnxCase nothing_at_all() {
  OnnxModel model;
  model.node("Identity", {"x"}, "same");
  model.node("Dropout", {"same"}, "kept");
  model.node("Cast", {"kept"}, "cast").with("to", std::int64_t{1});
  model.node("Relu", {"cast"});
  return {.name = "identity_dropout_cast", .model = model, .want = nn::relu};
}

// The range of the integers clamps, the rounding is left out.
OnnxCase quantized_activations() {
  OnnxModel model;
  model.floats("scale", {}, std::vector<float>{1.0f / 512.0f});
  model.initializer("zero", {}, proto::Tensor::UINT8)->add_int32_data(128);
  model.node("QuantizeLinear", {"x", "scale", "zero"}, "q");
  model.node("DequantizeLinear", {"q", "scale", "zero"});
  return {
      .name = "quantized_activations",
      .model = model,
      .want = [](const Tensor& x) { return nn::clamp(x, {.lo = -0.25f, .hi = 127.0f / 512.0f}); },
      .rounding = 0.5 / 512.0};
}

}  // namespace

std::vector<OnnxCase> elementwise_cases() {
  return {batch_norm(),
          clip(7),
          clip(13),
          clip_without_bounds("clip_above", {"x", "bound"}, {.lo = 0.125f}),
          clip_without_bounds("clip_below", {"x", "", "bound"}, {.hi = 0.125f}),
          min_and_max(),
          additions(),
          normalization(),
          softmax(11),
          softmax(13),
          softmax_of_pixels(),
          nothing_at_all(),
          quantized_activations()};
}

}  // namespace lamina::test
