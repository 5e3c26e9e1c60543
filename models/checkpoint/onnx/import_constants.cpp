#include "core/error.h"
#include "models/checkpoint/onnx/fold.h"
#include "models/checkpoint/onnx/operations.h"

namespace lamina::models::onnx {
namespace {

Constant of_floats(Dims dims, const std::vector<float>& values) {
  return {.dims = std::move(dims), .floats = Tensor::from({values.size()}, values)};
}

Dims length(std::size_t size) { return {static_cast<std::int64_t>(size)}; }

}  // namespace

void import_constant(Operation& op) {
  const Attributes& attributes = op.attributes();
  if (attributes.has("value")) {
    op.result(op.decoded("value"));
  } else if (attributes.has("value_float")) {
    op.result(of_floats({}, {attributes.number("value_float", 0.0f)}));
  } else if (attributes.has("value_floats")) {
    const std::vector<float> values = attributes.numbers("value_floats");
    op.builder().charge(values.size());
    op.result(of_floats(length(values.size()), values));
  } else if (attributes.has("value_int")) {
    op.result(Constant::of_integers({}, {attributes.integer("value_int", 0)}));
  } else {
    check(attributes.has("value_ints"),
          "there must be numbers in value, value_float, value_floats, ",
          "value_int or value_ints: there are none");
    const Dims values = attributes.integers("value_ints");
    op.builder().charge(2 * values.size());
    op.result(Constant::of_integers(length(values.size()), values));
  }
}

void import_constant_of_shape(Operation& op) {
  const std::optional<Dims> dims = op.integers("", 0);
  check(dims.has_value(), "there must be a shape: there is none");
  const Constant value = op.attributes().has("value") ? op.decoded("value") : Constant{};
  op.result(constant_of_shape(*dims, value, op.builder().budget()));
}

void import_concat(Operation& op) {
  if (op.input_count() == 1) {
    return import_identity(op);
  }
  std::vector<const Constant*> parts;
  for (std::size_t i = 0; i < op.input_count(); ++i) {
    parts.push_back(&op.constant(i, "inputs"));
  }
  op.result(concat(parts, op.attributes().integer("axis", 0), op.builder().budget()));
}

void import_slice(Operation& op) {
  const auto numbers = [&](const char* name, std::size_t input) {
    return op.integers(name, input).value_or(Dims{});
  };
  const SliceRange range{.starts = numbers("starts", 1),
                         .ends = numbers("ends", 2),
                         .axes = numbers("axes", 3),
                         .steps = numbers("steps", 4)};
  op.result(slice(op.constant(0, "input"), range, op.builder().budget()));
}

void import_gather(Operation& op) {
  op.result(gather(op.constant(0, "input"), op.constant(1, "indices"),
                   op.attributes().integer("axis", 0), op.builder().budget()));
}

}  // namespace lamina::models::onnx
