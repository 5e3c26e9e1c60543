#pragma once

#include <cstddef>
#include <vector>

#include "core/tensor.h"
#include "nn/ops.h"

namespace lamina::nn {

/// A convolution without bias, batch norm with the statistics of the batch, and a clamp.
struct ConvNorm {
  Tensor weight;                          ///< [O, KH, KW, I / groups]
  Tensor gamma, beta;                     ///< [O]
  Tensor running_mean, running_variance;  ///< [O], moved towards the batch's
  Conv2dOptions options = {};             ///< without bounds
  Bounds bounds = {};                     ///< of the clamp
  float epsilon = 1e-5f;
  float momentum = 0.1f;  ///< how far the running statistics move
};

/// What a chain keeps between forward and backward pass besides its input: each convolution's
/// result, or nothing, so that the backward pass convolves again.
enum class Keep { convolutions, input };

struct ConvNormChainOptions {
  enum class Residual { none, input };
  Residual residual = Residual::none;
  Keep keep = Keep::convolutions;
};

/// Whether conv_norm_chain takes these layers for images [N, H, W, C]: 1x1 convolutions with stride
/// 1, depthwise 3x3 ones with stride 1 or 2 and padding at most 1, and as the first of them any
/// convolution of one group.
bool is_conv_norm_chain(const Shape& x, const std::vector<ConvNorm>& layers);

/// Layers one after the other as a single differentiable op, for training: the same values as
/// conv2d, batch_norm_training and add in turn, in fewer passes over memory. What lies between two
/// layers is only ever written as the convolution left it, with the sums for the batch's statistics
/// taken while it is in cache; the next layer normalizes and clamps it as it reads. The backward
/// pass makes each gradient, and the sums that the next one needs, in one pass as well.
/// x [N, H, W, C] -> [N, OH, OW, O] of the last layer, plus x where `residual` says so. Throws
/// Error on shapes that do not fit, on layers that is_conv_norm_chain() refuses, and on fewer than
/// two pixels in the batch, which have no variance.
Tensor conv_norm_chain(const Tensor& x, const std::vector<ConvNorm>& layers,
                       const ConvNormChainOptions& options = {});

}  // namespace lamina::nn
