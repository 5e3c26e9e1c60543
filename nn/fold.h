#pragma once

#include <vector>

#include "core/tensor.h"

/// Inside nn only: batch norm as arithmetic on weights.
namespace lamina::nn {

/// A batch norm with known statistics as y = x * scale + shift for each channel, in double:
/// scale = gamma / sqrt(variance + epsilon), shift = beta - mean * scale.
struct Affine {
  std::vector<double> scale, shift;

  Affine(const Tensor& gamma, const Tensor& beta, const Tensor& mean, const Tensor& variance,
         float epsilon);
};

/// The convolution weight [O, ...] and bias [O] (or empty) with `affine` applied to the outputs;
/// the old tensors, which others may share, stay as they are.
struct FoldedWeights {
  Tensor weight, bias;
};
FoldedWeights fold(const Tensor& weight, const Tensor& bias, const Affine& affine);

/// Rounded to float, [values.size()].
Tensor to_tensor(const std::vector<double>& values);

}  // namespace lamina::nn
