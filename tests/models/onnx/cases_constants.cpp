#include <bit>

#include "tests/models/onnx/cases.h"
#include "tests/support/tensors.h"

namespace lamina::test {
namespace {

// Exact in every floating type.
const std::vector<float> kWeights = {0.5f, -1.25f, 2.0f, -0.75f, 1.5f, 3.0f};

// y = x times a weight [2, 3, 1, 1] of some type.
OnnxCase weights(const std::string& name, int type,
                 const std::function<void(proto::Tensor*)>& set) {
  OnnxModel model;
  set(model.initializer("w", {2, 3, 1, 1}, type));
  const bool is_float = type == proto::Tensor::FLOAT;
  if (!is_float) {
    model.node("Cast", {"w"}, "cast").with("to", std::int64_t{1});
  }
  model.node("Conv", {"x", is_float ? "w" : "cast"});
  return {.name = name, .model = model, .want = [](const Tensor& x) {
            return nn::conv2d(x, Tensor::from({2, 1, 1, 3}, kWeights), {});
          }};
}

std::int32_t bfloat16(float value) {
  return static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

// 5 bits of exponent, 10 of fraction; for numbers that fit.
std::int32_t half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::int32_t>((bits >> 16 & 0x8000) |
                                   (((bits >> 23 & 0xff) - 112) << 10 | (bits >> 13 & 0x3ff)));
}

template <class Number>
void set_raw(proto::Tensor* tensor, Number (*convert)(float)) {
  std::string raw;
  for (const float value : kWeights) {
    const Number number = convert(value);
    raw.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  tensor->set_raw_data(raw);
}

OnnxCase dequantized(const char* name, bool has_axis) {
  OnnxModel model;
  proto::Tensor* w = model.initializer("w", {2, 3, 1, 1}, proto::Tensor::INT8);
  const std::string raw = {1, -2, 3, 4, -5, 127};
  w->set_raw_data(raw);
  const std::vector<float> scale = has_axis ? std::vector<float>{0.5f, 0.25f} : std::vector{0.5f};
  proto::Tensor* zero =
      model.initializer("zero", has_axis ? Integers{2} : Integers{}, proto::Tensor::INT8);
  for (std::size_t i = 0; i < scale.size(); ++i) {
    zero->add_int32_data(static_cast<std::int32_t>(i) - 1);
  }
  model.floats("scale", has_axis ? Integers{2} : Integers{}, scale);
  model.node("DequantizeLinear", {"w", "scale", "zero"}, "real").with("axis", std::int64_t{0});
  model.node("Conv", {"x", "real"});
  return {.name = name, .model = model, .want = [=](const Tensor& x) {
            Tensor real = Tensor::uninitialized({2, 1, 1, 3});
            for (std::size_t i = 0; i < 6; ++i) {
              const std::size_t channel = has_axis ? i / 3 : 0;
              const float zero_point = static_cast<float>(channel) - 1.0f;
              real.data()[i] = (static_cast<float>(raw[i]) - zero_point) * scale[channel];
            }
            return nn::conv2d(x, real, {});
          }};
}

OnnxCase quantized_and_back() {
  OnnxModel model;
  model.floats("w", {2, 3, 1, 1}, kWeights).floats("scale", {}, std::vector<float>{0.5f});
  model.initializer("zero", {}, proto::Tensor::INT8)->add_int32_data(0);
  model.node("QuantizeLinear", {"w", "scale", "zero"}, "q");
  model.node("DequantizeLinear", {"q", "scale", "zero"}, "real");
  model.node("Conv", {"x", "real"});
  return {.name = "quantized_and_back", .model = model, .want = [](const Tensor& x) {
            const std::vector<float> real = {0.5f, -1.0f, 2.0f, -1.0f, 1.5f, 3.0f};
            return nn::conv2d(x, Tensor::from({2, 1, 1, 3}, real), {});
          }};
}

// A weight put together from pieces of others: [[1, 2, 3], [4, 5, 6]] + 1 and so on.
OnnxCase folded() {
  OnnxModel model;
  model.floats("a", {3, 2}, std::vector<float>{1, 4, 2, 5, 3, 6});
  model.floats("b", {2, 1}, std::vector<float>{1, 10}).integers("rows", {0, -1});
  model.integers("shape", {0, 0, 1, -1}).integers("axes", {2});
  model.integers("start", {3}).integers("end", {-4}).integers("axis", {1}).integers("step", {-1});
  model.node("Transpose", {"a"}, "turned");
  model.node("Mul", {"turned", "b"}, "scaled");
  model.node("Gather", {"scaled", "rows"}, "gathered").with("axis", std::int64_t{0});
  model.node("Slice", {"gathered", "start", "end", "axis", "step"}, "reversed");
  model.node("Sub", {"reversed", "b"}, "less");
  model.node("Concat", {"less", "turned"}, "both").with("axis", std::int64_t{0});
  model.node("Unsqueeze", {"both", "axes"}, "three");
  model.node("Reshape", {"three", "shape"}, "w");
  model.node("Conv", {"x", "w"});
  return {.name = "folded", .model = model, .want = [](const Tensor& x) {
            const std::vector<float> w = {2, 1, 0, 50, 40, 30, 1, 2, 3, 4, 5, 6};
            return nn::conv2d(x, Tensor::from({4, 1, 1, 3}, w), {});
          }};
}

}  // namespace

std::vector<OnnxCase> constant_cases() {
  const auto append = [](auto* field) {
    for (const float value : kWeights) {
      field->Add(value);
    }
  };
  return {
      weights("float_data", proto::Tensor::FLOAT,
              [&](proto::Tensor* w) { append(w->mutable_float_data()); }),
      weights("double_data", proto::Tensor::DOUBLE,
              [&](proto::Tensor* w) { append(w->mutable_double_data()); }),
      weights("double_raw", proto::Tensor::DOUBLE,
              [](proto::Tensor* w) { set_raw<double>(w, [](float v) { return double{v}; }); }),
      weights("half_raw", proto::Tensor::FLOAT16,
              [](proto::Tensor* w) {
                set_raw<std::uint16_t>(w,
                                       [](float v) { return static_cast<std::uint16_t>(half(v)); });
              }),
      weights("half_bits", proto::Tensor::FLOAT16,
              [](proto::Tensor* w) {
                for (const float value : kWeights) {
                  w->add_int32_data(half(value));
                }
              }),
      weights("bfloat16_bits", proto::Tensor::BFLOAT16,
              [](proto::Tensor* w) {
                for (const float value : kWeights) {
                  w->add_int32_data(bfloat16(value));
                }
              }),
      dequantized("dequantized", false),
      dequantized("dequantized_by_channel", true),
      quantized_and_back(),
      folded(),
  };
}

std::vector<OnnxCase> all_cases() {
  std::vector<OnnxCase> all;
  for (auto* cases : {window_cases, layout_cases, elementwise_cases, constant_cases}) {
    for (OnnxCase& one : cases()) {
      all.push_back(std::move(one));
    }
  }
  return all;
}

}  // namespace lamina::test
