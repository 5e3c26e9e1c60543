#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "models/checkpoint/onnx/fold.h"
#include "models/checkpoint/onnx/operations.h"

namespace lamina::models::onnx {
namespace {

// The same numbers under other extents, whether they are known or not.
void reshape(Operation& op, const Dims& dims) {
  if (op.is_constant(0)) {
    const Constant& x = op.constant(0, "input");
    op.builder().charge(x.integers.size());
    return op.result(x.reshaped(dims));
  }
  const View x = op.view(0);
  op.result(reshaped(x, dims, op.builder().shape(x)));
}

Dims input_dims(Operation& op) {
  return op.is_constant(0) ? op.constant(0, "input").dims : op.builder().dims(op.padded_view(0));
}

std::int64_t product(Dims::const_iterator begin, Dims::const_iterator end) {
  return std::accumulate(begin, end, std::int64_t{1}, std::multiplies<>());
}

}  // namespace

void import_reshape(Operation& op) {
  const std::optional<Dims> shape = op.integers("shape", 1);
  check(shape.has_value(), "there must be a shape: there is none");
  const ZeroExtent zero =
      op.attributes().integer("allowzero", 0) != 0 ? ZeroExtent::is_zero : ZeroExtent::copies;
  reshape(op, reshaped_dims(input_dims(op), *shape, zero));
}

void import_flatten(Operation& op) {
  const Dims dims = input_dims(op);
  const std::int64_t axis = op.attributes().integer("axis", 1);
  const std::size_t first = axis == static_cast<std::int64_t>(dims.size())
                                ? dims.size()
                                : checked_axis(axis, dims.size(), "axis");
  const auto middle = dims.begin() + static_cast<std::ptrdiff_t>(first);
  reshape(op, {product(dims.begin(), middle), product(middle, dims.end())});
}

void import_squeeze(Operation& op) {
  reshape(op, squeezed_dims(input_dims(op), op.integers("axes", 1).value_or(Dims{})));
}

void import_unsqueeze(Operation& op) {
  const std::optional<Dims> axes = op.integers("axes", 1);
  check(axes.has_value(), "there must be axes: there are none");
  reshape(op, unsqueezed_dims(input_dims(op), *axes));
}

void import_transpose(Operation& op) {
  Dims order = op.attributes().integers("perm");
  if (order.empty()) {
    order.resize(input_dims(op).size());
    std::iota(order.rbegin(), order.rend(), 0);
  }
  if (op.is_constant(0)) {
    return op.result(transpose(op.constant(0, "input"), order, op.builder().budget()));
  }
  op.result(transposed(op.padded_view(0), order));
}

// Tensors of the network are float32, whatever the file computes them in.
void import_cast(Operation& op) {
  const int type =
      static_cast<int>(std::clamp<std::int64_t>(op.attributes().integer("to", 0), -1, 99));
  if (op.is_constant(0)) {
    return op.result(cast(op.constant(0, "input"), type, op.builder().budget()));
  }
  check(is_floating_type(type), "must be to a floating type: got ", type_name(type));
  op.result(op.padded_view(0));
}

// Of one image.
void import_shape(Operation& op) {
  const Dims dims = input_dims(op);
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto place = [&](const char* name, std::int64_t otherwise) {
    const std::int64_t index = op.attributes().integer(name, otherwise);
    return std::clamp<std::int64_t>(index < 0 ? index + rank : index, 0, rank);
  };
  const std::int64_t start = place("start", 0);
  const std::int64_t end = std::max(start, place("end", rank));
  const Dims part(dims.begin() + start, dims.begin() + end);
  op.result(Constant::of_integers({end - start}, part));
}

}  // namespace lamina::models::onnx
