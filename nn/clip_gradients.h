#pragma once

#include <span>

#include "nn/module.h"

namespace lamina::nn {

/// sqrt(sum dw^2) over all gradients there are, summed in double and in a fixed order; 0 without
/// any.
double gradient_norm(std::span<const NamedTensor> parameters);

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), as PyTorch does, and returns the norm
/// they had. A norm that is not finite is returned with the gradients left as they are: the caller
/// should stop. Throws Error unless max_norm is above 0.
double clip_gradient_norm(std::span<const NamedTensor> parameters, double max_norm);

/// Clamps every gradient value to [-max_value, max_value] and returns the norm they had. A NaN
/// stays. Throws Error unless max_value is above 0.
double clip_gradient_values(std::span<const NamedTensor> parameters, double max_value);

}  // namespace lamina::nn
