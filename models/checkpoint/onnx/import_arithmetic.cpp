#include <algorithm>
#include <limits>

#include "core/error.h"
#include "models/checkpoint/onnx/fold.h"
#include "models/checkpoint/onnx/operations.h"
#include "models/checkpoint/onnx/weights.h"

namespace lamina::models::onnx {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Both inputs known: the result is too.
bool fold(Operation& op, Arithmetic arithmetic) {
  check(op.input_count() == 2, "there must be two inputs: got ", op.input_count());
  if (!op.is_constant()) {
    return false;
  }
  op.result(
      combine(arithmetic, op.constant(0, "input"), op.constant(1, "input"), op.builder().budget()));
  return true;
}

// One tensor of the network and one constant, in either order.
struct Mixed {
  View x;
  Tensor values;  ///< for each channel
  bool is_constant_first;
};

// Which axis of the view the constant's numbers run along, if it is not one number.
void check_runs_along_channels(const Constant& values, const View& x, const Shape& shape) {
  const Dims dims = dims_of(x, shape);
  const std::size_t rank = values.dims.size();
  check(rank <= dims.size(), "a constant must have no more axes than the input: it is ",
        printed(values.dims), ", the input ", printed(dims));
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t axis = dims.size() - rank + i;
    check(values.dims[i] == 1 ||
              (values.dims[i] == dims[axis] && runs_over(x.axes[axis], {Axis::c}, shape)),
          "a constant must be one number or one for each channel: it is ", printed(values.dims),
          ", the input ", printed(dims));
  }
}

Mixed read_mixed(Operation& op) {
  const bool first = op.is_constant(0);
  const View x = op.view(first ? 1 : 0);
  const Constant& values = op.constant(first ? 0 : 1, "input");
  const Shape shape = op.builder().shape(x);
  check(values.size() > 0, "a constant must have values: it is ", printed(values.dims));
  check_runs_along_channels(values, x, shape);
  return {.x = x,
          .values = channel_values(values, shape[shape.rank() - 1], "a constant"),
          .is_constant_first = first};
}

Tensor mapped(const Tensor& values, float (*function)(float)) {
  Tensor result = Tensor::uninitialized(values.shape());
  std::ranges::transform(values.values(), result.data(), function);
  return result;
}

float negative(float value) { return -value; }
float inverse(float value) { return 1.0f / value; }

// x * scale + shift; the empty tensor stands for ones or zeros.
View affine(Operation& op, const View& x, const Tensor& scale, const Tensor& shift) {
  const Shape shape = (scale.empty() ? shift : scale).shape();
  op.builder().set_name("scale_shift");
  return op.builder().affine(x, {.gamma = scale.empty() ? Tensor::full(shape, 1.0f) : scale,
                                 .beta = shift.empty() ? Tensor::zeros(shape) : shift,
                                 .mean = Tensor::zeros(shape),
                                 .variance = Tensor::full(shape, 1.0f),
                                 .options = {.epsilon = 0.0f}});
}

View shifted(Operation& op, const View& x, const Tensor& shift) {
  return op.builder().add_to_bias(x, shift) ? x : affine(op, x, {}, shift);
}

View add_views(Operation& op) {
  View a = op.view(0);
  View b = op.view(1);
  Builder& builder = op.builder();
  if (builder.shape(a).rank() != builder.shape(b).rank()) {
    a = builder.as_vector(a);
    b = builder.as_vector(b);
  }
  const Shape shape = builder.shape(a);
  bool same = shape == builder.shape(b) && a.axes.size() == b.axes.size();
  for (std::size_t i = 0; same && i < a.axes.size(); ++i) {
    same = runs_over(a.axes[i], b.axes[i], shape);
  }
  check(same, "inputs must have one shape and order of axes: got ", printed(builder.dims(a)),
        " and ", printed(builder.dims(b)));
  builder.set_name("add");
  return builder.add(a, b);
}

void import_bound(Operation& op, Arithmetic arithmetic) {
  if (fold(op, arithmetic)) {
    return;
  }
  const Mixed mixed = read_mixed(op);
  const float bound = mixed.values.data()[0];
  check(std::ranges::all_of(mixed.values.values(), [&](float value) { return value == bound; }),
        "a bound must be the same for all channels: there are several");
  op.builder().set_name("clamp");
  const nn::Bounds bounds = arithmetic == Arithmetic::smaller ? nn::Bounds{-kInfinity, bound}
                                                              : nn::Bounds{bound, kInfinity};
  op.result(op.builder().clamp(mixed.x, bounds));
}

}  // namespace

void import_add(Operation& op) {
  if (fold(op, Arithmetic::add)) {
    return;
  }
  if (!op.is_constant(0) && !op.is_constant(1)) {
    return op.result(add_views(op));
  }
  const Mixed mixed = read_mixed(op);
  op.result(shifted(op, mixed.x, mixed.values));
}

void import_sub(Operation& op) {
  if (fold(op, Arithmetic::subtract)) {
    return;
  }
  const Mixed mixed = read_mixed(op);
  op.result(mixed.is_constant_first
                ? affine(op, mixed.x, Tensor::full(mixed.values.shape(), -1.0f), mixed.values)
                : shifted(op, mixed.x, mapped(mixed.values, negative)));
}

void import_mul(Operation& op) {
  if (fold(op, Arithmetic::multiply)) {
    return;
  }
  const Mixed mixed = read_mixed(op);
  op.result(affine(op, mixed.x, mixed.values, {}));
}

void import_div(Operation& op) {
  if (fold(op, Arithmetic::divide)) {
    return;
  }
  const Mixed mixed = read_mixed(op);
  check(!mixed.is_constant_first, "the divisor must be known before the network runs: it is not");
  op.result(affine(op, mixed.x, mapped(mixed.values, inverse), {}));
}

void import_min(Operation& op) { import_bound(op, Arithmetic::smaller); }
void import_max(Operation& op) { import_bound(op, Arithmetic::larger); }

}  // namespace lamina::models::onnx
