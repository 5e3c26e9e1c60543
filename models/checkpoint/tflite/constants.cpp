#include "models/checkpoint/tflite/constants.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/limits.h"

namespace lamina::models::tflite {
namespace {

double checked_scale(float scale) {
  check(std::isfinite(scale) && scale > 0.0f, "scales must be above 0 and finite: one is ", scale);
  return scale;
}

// The format lets zero points be absent: they are 0 then, as in a list of one for all scales.
std::int64_t zero_point_of(std::span<const std::int64_t> zero_points, std::size_t i) {
  return zero_points.empty() ? 0 : zero_points[zero_points.size() == 1 ? 0 : i];
}

std::shared_ptr<const Quantization> quantization_of(const TensorView& tensor) {
  const auto scales = numbers(tensor.quantization->scale());
  const auto zero_points = numbers(tensor.quantization->zero_point());
  const std::int32_t axis = tensor.quantization->quantized_dimension();
  auto quantization = std::make_shared<Quantization>();
  if (scales.size() > 1) {
    check(axis >= 0 && static_cast<std::size_t>(axis) < tensor.shape.size() &&
              scales.size() == tensor.shape[static_cast<std::size_t>(axis)],
          "scales must be one, or one for each index along the quantized axis: there are ",
          scales.size(), ", the shape is ", printed(tensor.shape), ", the axis ", axis);
    quantization->axis = static_cast<std::size_t>(axis);
  }
  check(zero_points.size() <= 1 || zero_points.size() == scales.size(),
        "zero points must be one, or as many as the scales: there are ", zero_points.size(),
        ", the scales are ", scales.size());
  for (std::size_t i = 0; i < scales.size(); ++i) {
    quantization->scales.push_back(checked_scale(scales[i]));
    quantization->zero_points.push_back(zero_point_of(zero_points, i));
  }
  return quantization;
}

template <class Integer>
std::vector<std::int64_t> widened(std::span<const std::uint8_t> bytes) {
  std::vector<std::int64_t> values(bytes.size() / sizeof(Integer));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Integer value{};
    std::memcpy(&value, bytes.data() + i * sizeof(Integer), sizeof(Integer));
    values[i] = value;
  }
  return values;
}

template <class Integer>
nn::Bounds range_of(const Affine& affine) {
  const auto number = [&](Integer q) {
    return static_cast<float>((q - static_cast<double>(affine.zero_point)) * affine.scale);
  };
  return {number(std::numeric_limits<Integer>::min()), number(std::numeric_limits<Integer>::max())};
}

}  // namespace

Constants::Constants(std::uint64_t file_bytes)
    : values_left_((file_bytes * limits::kGrowth + limits::kGrowthFree) / sizeof(float)) {}

void Constants::spend(const TensorView& tensor) {
  check(tensor.is_constant(), "tensor ", tensor.index, " must be a constant: it has no data");
  check(tensor.size() <= values_left_, "constants must not need over ", limits::kGrowth,
        " times the file's bytes: with tensor ", tensor.index, ' ', printed(tensor.shape),
        " they do");
  values_left_ -= tensor.size();
}

Tensor Constants::to_float(const TensorView& tensor) {
  spend(tensor);
  try {
    check(tensor.type->is_floating || tensor.quantization != nullptr,
          "integers must have a scale: it has none");
    return models::to_float(
        {.type = tensor.type,
         .shape = tensor.shape,
         .bytes = tensor.data,
         .quantization = tensor.is_integer() ? quantization_of(tensor) : nullptr});
  } catch (const Error& error) {
    throw Error(text("tensor ", tensor.index, ": ", error.what()));
  }
}

Tensor Constants::scaled(const TensorView& tensor, std::vector<double> scales) {
  spend(tensor);
  auto quantization = std::make_shared<Quantization>();
  quantization->zero_points.resize(scales.size());
  quantization->scales = std::move(scales);
  return models::to_float({.type = tensor.type,
                           .shape = {tensor.size()},
                           .bytes = tensor.data,
                           .quantization = std::move(quantization)});
}

std::vector<std::int64_t> integers(const TensorView& tensor) {
  const bool wide = tensor.type->name == "I64";
  check(tensor.is_constant() && (wide || tensor.type->name == "I32"), "tensor ", tensor.index,
        " must be a constant of integers: it is ", tensor.type->name, ' ', printed(tensor.shape),
        tensor.is_constant() ? "" : " without data");
  check(tensor.size() <= kMaxIntegers, "tensor ", tensor.index, " must have at most ", kMaxIntegers,
        " values: it has ", tensor.size());
  return wide ? widened<std::int64_t>(tensor.data) : widened<std::int32_t>(tensor.data);
}

std::optional<Affine> affine(const TensorView& tensor) {
  if (!tensor.is_integer() || tensor.quantization == nullptr) {
    return std::nullopt;
  }
  const auto scales = numbers(tensor.quantization->scale());
  const auto zero_points = numbers(tensor.quantization->zero_point());
  check(scales.size() == 1 && zero_points.size() <= 1, "tensor ", tensor.index,
        " must have one scale and one zero point: it has ", scales.size(), " and ",
        zero_points.size());
  return Affine{checked_scale(scales[0]), zero_point_of(zero_points, 0)};
}

std::optional<nn::Bounds> representable(const TensorView& tensor) {
  const auto numbers = affine(tensor);
  if (!numbers) {
    return std::nullopt;
  }
  if (tensor.type->name == "U8") {
    return range_of<std::uint8_t>(*numbers);
  }
  if (tensor.type->name == "I8") {
    return range_of<std::int8_t>(*numbers);
  }
  return tensor.type->name == "I16" ? std::optional(range_of<std::int16_t>(*numbers))
                                    : std::nullopt;
}

}  // namespace lamina::models::tflite
