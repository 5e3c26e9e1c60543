#pragma once

#include <optional>
#include <vector>

#include "nn/conv_norm.h"
#include "nn/layers.h"

namespace lamina::nn {

/// How a network computes while it trains; the values agree up to rounding.
enum class TrainingOps {
  fused,              ///< conv_norm_chain
  fused_recomputing,  ///< the same, every chain computed again for its gradient: memory for time
  separate,           ///< conv2d, batch_norm_training and add
};

/// `layers` one after the other for images of the shape `x`, as conv_norm_chain takes them; nothing
/// when it does not take them, or one of them is not in training or folded.
std::optional<std::vector<ConvNorm>> training_chain(
    const std::vector<const ConvNormActivation*>& layers, const Shape& x);

}  // namespace lamina::nn
