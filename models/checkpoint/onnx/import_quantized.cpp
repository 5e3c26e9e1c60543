#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "models/checkpoint/onnx/fold.h"
#include "models/checkpoint/onnx/operations.h"

namespace lamina::models::onnx {
namespace {

struct Range {
  std::int64_t least, most;
};

Range range_of(int type) {
  switch (type) {
    case proto::Tensor::UINT8:
      return {0, 255};
    case proto::Tensor::INT8:
      return {-128, 127};
    case proto::Tensor::UINT16:
      return {0, 65535};
    case proto::Tensor::INT16:
      return {-32768, 32767};
    case proto::Tensor::INT32:
      return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    default:
      check(false, "quantized numbers must be of 8, 16 or 32 bits: they are ", type_name(type));
      return {};
  }
}

// How integers stand for real numbers: (q - zero point) * scale, all alike or along an axis.
struct Quantizer {
  const Constant& scale;
  const Constant* zero_point;
  Range range;
  int type;

  float scale_at(std::size_t i) const { return scale.floats.data()[i]; }
  std::int64_t zero_at(std::size_t i) const {
    return zero_point == nullptr ? 0 : zero_point->integers[i];
  }
};

Quantizer read_quantizer(const Operation& op, int type) {
  const Constant& scale = op.constant(1, "scale");
  const Constant* zero_point = op.has(2) ? &op.constant(2, "zero point") : nullptr;
  check(scale.is_floating() && scale.size() > 0, "scale must be of a floating type: it is ",
        type_name(scale.type), " ", printed(scale.dims));
  check(zero_point == nullptr || (!zero_point->is_floating() && zero_point->size() == scale.size()),
        "there must be a zero point for each scale: scale is ", printed(scale.dims));
  type = zero_point == nullptr ? type : zero_point->type;
  return {.scale = scale, .zero_point = zero_point, .range = range_of(type), .type = type};
}

// How many numbers in a row share a scale.
std::size_t run_length(const Operation& op, const Constant& x, const Quantizer& quantizer) {
  if (quantizer.scale.size() == 1) {
    return std::max<std::size_t>(1, x.size());
  }
  const std::size_t axis = checked_axis(op.attributes().integer("axis", 1), x.dims.size(), "axis");
  check(static_cast<std::size_t>(x.dims[axis]) == quantizer.scale.size(),
        "there must be a scale for each index of axis ", axis, ": the input is ", printed(x.dims),
        ", there are ", quantizer.scale.size());
  return std::max<std::size_t>(
      1, count_of(Dims(x.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.dims.end())));
}

// Rounding is left out, but not the range: it may be all that is left of a ReLU6.
void clamp_to_range(Operation& op) {
  const Quantizer quantizer = read_quantizer(op, proto::Tensor::UINT8);
  check(quantizer.scale.size() == 1, "scale must be one number for a tensor of the network: it is ",
        printed(quantizer.scale.dims));
  const float scale = quantizer.scale_at(0);
  check(scale > 0.0f && std::isfinite(scale), "scale must be positive: it is ", scale);
  const auto real = [&](std::int64_t q) {
    return static_cast<float>(q - quantizer.zero_at(0)) * scale;
  };
  op.builder().remark("The rounding of quantized activations is left out: they are float32 here.");
  op.builder().set_name("range");
  op.result(
      op.builder().clamp(op.view(0), {real(quantizer.range.least), real(quantizer.range.most)}));
}

}  // namespace

void import_quantize_linear(Operation& op) {
  if (!op.is_constant(0)) {
    return clamp_to_range(op);
  }
  const Constant& x = op.constant(0, "input");
  const Quantizer quantizer = read_quantizer(op, proto::Tensor::UINT8);
  check(x.is_floating(), "input must be of a floating type: it is ", type_name(x.type));
  const std::size_t run = run_length(op, x, quantizer);
  op.builder().charge(2 * x.size());
  std::vector<std::int64_t> values(x.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = i / run % quantizer.scale.size();
    const float q = std::nearbyint(x.number(i) / quantizer.scale_at(channel)) +
                    static_cast<float>(quantizer.zero_at(channel));
    const auto least = static_cast<float>(quantizer.range.least);
    const auto most = static_cast<float>(quantizer.range.most);
    values[i] = std::isnan(q) ? 0 : static_cast<std::int64_t>(std::clamp(q, least, most));
  }
  Constant result = Constant::of_integers(x.dims, std::move(values));
  result.type = quantizer.type;
  op.result(std::move(result));
}

// A tensor of the network was left as it is by the QuantizeLinear before.
void import_dequantize_linear(Operation& op) {
  if (!op.is_constant(0)) {
    return op.result(op.padded_view(0));
  }
  const Constant& x = op.constant(0, "input");
  check(!x.is_floating(), "input must be of integers: it is ", type_name(x.type));
  const Quantizer quantizer = read_quantizer(op, x.type);
  const std::size_t run = run_length(op, x, quantizer);
  op.builder().charge(x.size());
  Tensor values = Tensor::uninitialized({x.size()});
  float* to = values.data();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t channel = i / run % quantizer.scale.size();
    to[i] = static_cast<float>(x.integers[i] - quantizer.zero_at(channel)) *
            quantizer.scale_at(channel);
  }
  op.result(Constant{.dims = x.dims, .floats = values});
}

}  // namespace lamina::models::onnx
