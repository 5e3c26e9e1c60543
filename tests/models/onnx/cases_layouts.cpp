#include "tests/models/onnx/cases.h"
#include "tests/support/tensors.h"

namespace lamina::test {
namespace {

Tensor transposed(const Tensor& matrix) {
  const std::size_t rows = matrix.shape()[0];
  const std::size_t columns = matrix.shape()[1];
  Tensor result = Tensor::uninitialized({columns, rows});
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    result.data()[i % columns * rows + i / columns] = matrix.data()[i];
  }
  return result;
}

// [N, H, W, C] -> [N, C H W], as a flattened image of PyTorch.
Tensor flattened(const Tensor& x) {
  const Shape& s = x.shape();
  Tensor result = Tensor::uninitialized({s[0], s[1] * s[2] * s[3]});
  std::size_t to = 0;
  for (std::size_t c = 0; c < s[3]; ++c) {
    for (std::size_t pixel = 0; pixel < s[1] * s[2]; ++pixel) {
      result.data()[to++] = x.data()[pixel * s[3] + c];
    }
  }
  return result;
}

OnnxCase gemm() {
  const Tensor w = random_tensor({4, 3}, 1);
  const Tensor b = random_tensor({4}, 2);
  OnnxModel model;
  model.floats("w", {4, 3}, w).floats("b", {1, 4}, b);
  model.node("GlobalAveragePool", {"x"}, "pooled");
  model.node("Flatten", {"pooled"}, "flat");
  model.node("Gemm", {"flat", "w", "b"})
      .with("transB", std::int64_t{1})
      .with("alpha", 0.5f)
      .with("beta", -2.0f);
  return {.name = "gemm", .model = model, .want = [w, b](const Tensor& x) {
            Tensor half = w.clone();
            for (float& value : half.values()) {
              value *= 0.5f;
            }
            Tensor minus = b.clone();
            for (float& value : minus.values()) {
              value *= -2.0f;
            }
            return nn::linear(nn::global_average_pool(x), half, minus);
          }};
}

OnnxCase gemm_of_an_image() {
  const Tensor w = random_tensor({7, 90}, 1);
  OnnxModel model;
  model.floats("w", {90, 7}, transposed(w));
  model.node("Relu", {"x"}, "positive");
  model.node("Flatten", {"positive"}, "flat");
  model.node("Gemm", {"flat", "w"}, "y");
  return {.name = "gemm_of_an_image", .model = model, .want = [w](const Tensor& x) {
            return nn::linear(flattened(nn::relu(x)), w, {});
          }};
}

// The batch is read from the input's shape, as PyTorch's view(x.size(0), -1) is written.
OnnxCase reshape_by_shape() {
  const Tensor w = random_tensor({4, 90}, 1);
  const Tensor b = random_tensor({4}, 2);
  OnnxModel model(13, {0, 3, 6, 5});
  model.floats("w", {90, 4}, transposed(w)).floats("b", {4}, b);
  model.integers("first", {0}).integers("rest", {-1}).integers("axes", {0});
  model.node("Shape", {"x"}, "shape");
  model.node("Gather", {"shape", "first"}, "batch");
  model.node("Concat", {"batch", "rest"}, "wanted").with("axis", std::int64_t{0});
  model.node("Reshape", {"x", "wanted"}, "flat");
  model.node("MatMul", {"flat", "w"}, "product");
  model.node("Add", {"b", "product"});
  return {.name = "reshape_by_shape", .model = model, .want = [w, b](const Tensor& x) {
            return nn::linear(flattened(x), w, b);
          }};
}

// As TensorFlow's exporters write: images last, transposed around each convolution.
OnnxCase channels_last(const char* name, bool ends_last) {
  const Tensor w = random_tensor({4, 3, 3, 3}, 1);
  const Tensor p = random_tensor({5, 4}, 2);
  OnnxModel model(13, {0, 6, 5, 3});
  model.floats("w", {4, 3, 3, 3}, to_oihw(w)).floats("p", {4, 5}, transposed(p));
  model.node("Transpose", {"x"}, "first").with("perm", Integers{0, 3, 1, 2});
  model.node("Conv", {"first", "w"}, "conv").with("pads", Integers{1, 1, 1, 1});
  model.node("Transpose", {"conv"}, "last").with("perm", Integers{0, 2, 3, 1});
  model.node("MatMul", {"last", "p"}, ends_last ? "product" : "y");
  if (ends_last) {
    model.node("ReduceMean", {"product"})
        .with("axes", Integers{1, 2})
        .with("keepdims", std::int64_t{0});
  }
  return {.name = name, .model = model, .want = [w, p, ends_last](const Tensor& x) {
            const Tensor y = nn::conv2d(x, w, {}, {.padding = nn::Padding::symmetric(1)});
            const Tensor z = nn::conv2d(y, p.reshape({5, 1, 1, 4}), {});
            return ends_last ? nn::global_average_pool(z) : z;
          }};
}

// The classifier is a convolution of the pooled pixel.
OnnxCase convolution_of_a_pixel() {
  const Tensor w = random_tensor({4, 1, 1, 3}, 1);
  const Tensor b = random_tensor({4}, 2);
  OnnxModel model(11);
  model.floats("w", {4, 3, 1, 1}, w).floats("b", {4}, b);
  model.node("GlobalAveragePool", {"x"}, "pooled");
  model.node("Conv", {"pooled", "w", "b"}, "conv");
  model.node("Clip", {"conv"}, "clipped");
  model.node("Squeeze", {"clipped"}).with("axes", Integers{2, 3});
  return {.name = "convolution_of_a_pixel", .model = model, .want = [w, b](const Tensor& x) {
            return nn::linear(nn::global_average_pool(x), w.reshape({4, 3}), b);
          }};
}

OnnxCase unsqueezed() {
  OnnxModel model;
  model.integers("axes", {2, 3});
  model.node("ReduceMean", {"x"}, "mean")
      .with("axes", Integers{2, 3})
      .with("keepdims", std::int64_t{0});
  model.node("Unsqueeze", {"mean", "axes"}, "pixel");
  model.node("GlobalAveragePool", {"pixel"}, "same");
  model.node("Relu", {"same"}, "positive");
  model.node("Flatten", {"positive"});
  return {.name = "unsqueezed", .model = model, .want = [](const Tensor& x) {
            return nn::relu(nn::global_average_pool(x));
          }};
}

}  // namespace

std::vector<OnnxCase> layout_cases() {
  return {gemm(),
          gemm_of_an_image(),
          reshape_by_shape(),
          channels_last("channels_last", false),
          channels_last("channels_last_pooled", true),
          convolution_of_a_pixel(),
          unsqueezed()};
}

}  // namespace lamina::test
