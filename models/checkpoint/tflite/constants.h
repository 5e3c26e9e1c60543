#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "models/checkpoint/tflite/model.h"
#include "nn/ops.h"

/// Inside models only: the numbers that a TensorFlow Lite file's tensors stand for.
namespace lamina::models::tflite {

/// Converts constants to float32. A small file whose tensors share their bytes could ask for any
/// amount of memory, so all that one converter makes may have 8 times the file's bytes, plus 64
/// KiB.
class Constants {
 public:
  explicit Constants(std::uint64_t file_bytes);

  /// Of any rank up to 4, dequantized. Throws Error when it is not a constant.
  Tensor to_float(const TensorView& tensor);
  /// A vector of integers, each times the scale of its index or the only one.
  Tensor scaled(const TensorView& tensor, std::vector<double> scales);

 private:
  void spend(const TensorView& tensor);

  std::uint64_t values_left_;
};

/// A tensor of int32 or int64. Throws Error for more than kMaxIntegers values.
inline constexpr std::size_t kMaxIntegers = 64;
std::vector<std::int64_t> integers(const TensorView& tensor);

/// Scale and zero point of a tensor that has one of each; nothing where it is not quantized.
struct Affine {
  double scale;
  std::int64_t zero_point;
};
std::optional<Affine> affine(const TensorView& tensor);

/// The least and the largest number that a quantized tensor of 8 or 16 bits can hold.
std::optional<nn::Bounds> representable(const TensorView& tensor);

}  // namespace lamina::models::tflite
