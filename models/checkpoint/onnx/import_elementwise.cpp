#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "models/checkpoint/onnx/operations.h"
#include "models/checkpoint/onnx/weights.h"

namespace lamina::models::onnx {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

std::size_t channels_of(const Shape& shape) { return shape[shape.rank() - 1]; }

// The one axis of a softmax before opset 13 begins at `axis` and takes in all that follow.
Axes softmax_axes(const View& x, std::int64_t axis, std::int64_t opset) {
  const std::size_t first = checked_axis(axis, x.axes.size(), "axis");
  Axes axes = x.axes[first];
  for (std::size_t i = first + 1; opset < 13 && i < x.axes.size(); ++i) {
    axes.insert(axes.end(), x.axes[i].begin(), x.axes[i].end());
  }
  return axes;
}

}  // namespace

void import_batch_normalization(Operation& op) {
  const View x = op.view(0);
  const Shape in = op.builder().shape(x);
  check(op.attributes().integer("training_mode", 0) == 0, "training_mode must be 0: it is 1");
  check(op.attributes().integer("spatial", 1) == 1, "spatial must be 1: it is 0");
  check(x.axes.size() >= 2 && runs_over(x.axes[1], {Axis::c}, in),
        "channels must be the second axis: the input is ", printed(op.builder().dims(x)));
  const float epsilon = op.attributes().number("epsilon", 1e-5f);
  check(std::isfinite(epsilon) && epsilon >= 0.0f, "epsilon must be finite and not negative: got ",
        epsilon);
  const auto values = [&](std::size_t input, const char* what) {
    return channel_values(op.constant(input, what), channels_of(in), what);
  };
  op.builder().set_name(op.weight_name(1));
  op.result(op.builder().affine(x, {.gamma = values(1, "scale"),
                                    .beta = values(2, "B"),
                                    .mean = values(3, "mean"),
                                    .variance = values(4, "var"),
                                    .options = {.epsilon = epsilon}}));
}

// The largest floats stand for no bound.
void import_clip(Operation& op) {
  const float lo = op.number("min", 1).value_or(-kInfinity);
  const float hi = op.number("max", 2).value_or(kInfinity);
  op.builder().set_name("clamp");
  op.result(op.builder().clamp(op.view(0), {.lo = lo <= -kLargest ? -kInfinity : lo,
                                            .hi = hi >= kLargest ? kInfinity : hi}));
}

void import_relu(Operation& op) {
  op.builder().set_name("clamp");
  op.result(op.builder().clamp(op.view(0), nn::kReluBounds));
}

void import_softmax(Operation& op) {
  const View x = op.view(0);
  const std::int64_t opset = op.opset();
  const std::int64_t axis = op.attributes().integer("axis", opset < 13 ? 1 : -1);
  const bool fits = runs_over(softmax_axes(x, axis, opset), {Axis::c}, op.builder().shape(x));
  check(fits, "axis must be the channels': it is ", axis, " of ", printed(op.builder().dims(x)));
  op.builder().set_name("softmax");
  op.result(op.builder().softmax(x));
}

void import_identity(Operation& op) {
  if (op.is_constant(0)) {
    op.result(op.constant(0, "input"));
  } else {
    op.result(op.padded_view(0));
  }
}

void import_dropout(Operation& op) {
  check(!op.has(2) || op.constant(2, "training_mode").number(0) == 0.0f,
        "training_mode must be false: it is true");
  import_identity(op);
}

}  // namespace lamina::models::onnx
