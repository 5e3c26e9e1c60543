#include <algorithm>

#include "core/error.h"
#include "models/checkpoint/onnx/operations.h"
#include "models/checkpoint/onnx/weights.h"

namespace lamina::models::onnx {
namespace {

// A weight of a product, [O, I] or [I, O].
struct Matrix {
  const Constant& values;
  bool has_outputs_first;
  float factor;

  std::size_t outputs() const { return extent(has_outputs_first ? 0 : 1); }
  std::size_t inputs() const { return extent(has_outputs_first ? 1 : 0); }
  float at(std::size_t o, std::size_t i) const {
    const std::size_t index = has_outputs_first ? o * inputs() + i : i * outputs() + o;
    return factor * values.floats.data()[index];
  }

 private:
  std::size_t extent(std::size_t axis) const { return static_cast<std::size_t>(values.dims[axis]); }
};

Matrix checked_matrix(const Constant& values, std::int64_t outputs_first, float factor) {
  check_floating(values, "weight");
  check(values.dims.size() == 2 && values.size() > 0, "weight must be a matrix: it is ",
        printed(values.dims));
  return {values, outputs_first != 0, factor};
}

// In which order the file's weight takes our values, [H, W, C] of each image.
std::vector<std::size_t> order_of_inputs(const Axes& axes, const Shape& in) {
  std::vector<std::size_t> order;
  const auto extent = [&](Axis axis) { return static_cast<std::size_t>(extent_of(in, axis)); };
  std::size_t stride[4] = {};
  std::size_t product = 1;
  for (std::size_t i = axes.size(); i-- > 0;) {
    stride[static_cast<std::size_t>(axes[i])] = product;
    product *= extent(axes[i]);
  }
  const auto step = [&](Axis axis) { return stride[static_cast<std::size_t>(axis)]; };
  for (std::size_t h = 0; h < extent(Axis::h); ++h) {
    for (std::size_t w = 0; w < extent(Axis::w); ++w) {
      for (std::size_t c = 0; c < extent(Axis::c); ++c) {
        order.push_back(h * step(Axis::h) + w * step(Axis::w) + c * step(Axis::c));
      }
    }
  }
  return order;
}

Tensor weight_for(const Matrix& matrix, const std::vector<std::size_t>& order) {
  const bool is_ours =
      matrix.has_outputs_first && matrix.factor == 1.0f && std::ranges::is_sorted(order);
  const Shape shape = {matrix.outputs(), order.size()};
  if (is_ours) {
    return matrix.values.floats.reshape(shape);
  }
  Tensor weight = Tensor::uninitialized(shape);
  float* to = weight.data();
  for (std::size_t o = 0; o < matrix.outputs(); ++o) {
    for (const std::size_t i : order) {
      *to++ = matrix.at(o, i);
    }
  }
  return weight;
}

// All of an image times the matrix: where it has pixels, a convolution with one window.
View multiply(Builder& builder, const View& x, const Matrix& matrix, const Tensor& bias) {
  const Shape in = builder.shape(x);
  const std::size_t values = in.size();
  check(x.axes.size() == 2 && values == matrix.inputs(),
        "weight must take the input's values: it takes ", matrix.inputs(), ", the input is ",
        printed(builder.dims(x)));
  const std::size_t outputs = matrix.outputs();
  builder.charge(matrix.values.size());
  const Tensor weight = weight_for(matrix, order_of_inputs(x.axes[1], in));
  if (in.rank() == 2) {
    return builder.linear(x, weight, bias);
  }
  if (in[1] * in[2] == 1) {
    return builder.linear(builder.as_vector(x), weight, bias);
  }
  const View y = builder.convolution(x, weight.reshape({outputs, in[1], in[2], in[3]}), bias, {});
  return builder.pool(y);
}

Tensor scaled(const Tensor& values, float factor) {
  if (factor == 1.0f) {
    return values;
  }
  Tensor result = values.clone();
  for (float& value : result.values()) {
    value *= factor;
  }
  return result;
}

}  // namespace

void import_gemm(Operation& op) {
  check(op.attributes().integer("transA", 0) == 0, "transA must be 0: it is 1");
  const View x = op.view(0);
  const Matrix matrix =
      checked_matrix(op.constant(1, "weight"), op.attributes().integer("transB", 0),
                     op.attributes().number("alpha", 1.0f));
  Tensor bias;
  if (op.has(2)) {
    const Constant& values = op.constant(2, "bias");
    check(values.dims.empty() ||
              count_of(values.dims) == static_cast<std::size_t>(values.dims.back()),
          "bias must be a row: it is ", printed(values.dims));
    bias = scaled(channel_values(values, matrix.outputs(), "bias"),
                  op.attributes().number("beta", 1.0f));
  }
  op.builder().set_name(op.weight_name(1));
  op.result(multiply(op.builder(), x, matrix, bias));
}

// [..., C] times [C, O]: of whole images' values, or of each pixel's.
void import_mat_mul(Operation& op) {
  const View x = op.view(0);
  const Matrix matrix = checked_matrix(op.constant(1, "weight"), 0, 1.0f);
  const Shape in = op.builder().shape(x);
  op.builder().set_name(op.weight_name(1));
  if (x.axes.size() == 2) {
    return op.result(multiply(op.builder(), x, matrix, {}));
  }
  const std::size_t channels = in[in.rank() - 1];
  check(runs_over(x.axes.back(), {Axis::c}, in) && matrix.inputs() == channels,
        "weight must take the channels, and they be the input's last axis: it takes ",
        matrix.inputs(), ", the input is ", printed(op.builder().dims(x)));
  op.builder().charge(matrix.values.size());
  const std::size_t outputs = matrix.outputs();
  const Tensor weight = weight_for(matrix, order_of_inputs({Axis::c}, Shape{1, channels}));
  View y = in.rank() == 2
               ? op.builder().linear(x, weight, {})
               : op.builder().convolution(x, weight.reshape({outputs, 1, 1, channels}), {}, {});
  y.axes = x.axes;
  for (Axes& axes : y.axes) {
    std::erase(axes, Axis::c);
  }
  y.axes.back() = {Axis::c};
  op.result(y);
}

}  // namespace lamina::models::onnx
