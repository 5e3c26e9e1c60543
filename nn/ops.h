#pragma once

#include <cstddef>
#include <limits>

#include "core/random.h"
#include "core/tensor.h"

/// The catalogue of operations. Each checks its arguments, throws Error before any work is done,
/// and returns a new Tensor, differentiable with respect to every tensor it takes unless said.
/// Images are [N, H, W, C], convolution weights [O, KH, KW, I / groups].
namespace lamina::nn {

/// A number along the height and one along the width; `Size2(3)` is 3 x 3.
struct Size2 {
  std::size_t h, w;
  constexpr Size2(std::size_t both) : h(both), w(both) {}  // NOLINT(google-explicit-constructor)
  constexpr Size2(std::size_t height, std::size_t width) : h(height), w(width) {}
  bool operator==(const Size2&) const = default;
};

/// Zero pixels added around an image.
struct Padding {
  std::size_t top = 0, bottom = 0, left = 0, right = 0;

  static Padding symmetric(Size2 pad) { return {pad.h, pad.h, pad.w, pad.w}; }
  bool operator==(const Padding&) const = default;
};

/// TensorFlow's "SAME": outputs are ceil(input / stride), an odd pixel of padding goes below and
/// to the right. `input` is the image's height and width. Throws Error when a side of the kernel or
/// a stride is zero.
Padding same_padding(Size2 input, Size2 kernel, Size2 stride, Size2 dilation = 1);

/// Bounds applied to an op's result as it is written; the default leaves it as it is. A gradient
/// passes where the result is strictly inside of them.
struct Bounds {
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();
};
inline constexpr Bounds kReluBounds{0.0f, std::numeric_limits<float>::infinity()};
inline constexpr Bounds kRelu6Bounds{0.0f, 6.0f};

struct Conv2dOptions {
  Size2 stride = 1;
  Padding padding = {};
  Size2 dilation = 1;
  std::size_t groups = 1;
  Bounds bounds = {};
};

/// Convolution: x [N, H, W, C], w [O, KH, KW, C / groups], bias [O] or empty ->
/// [N, OH, OW, O], OH = (H + top + bottom - dilation (KH - 1) - 1) / stride + 1.
/// 1x1 runs as a matrix product, one channel a group as depthwise, the rest as im2col and a
/// product. Throws Error on a rank, channel or group mismatch and when the window exceeds the
/// padded image.
Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias,
              const Conv2dOptions& options = {});

/// The shape of conv2d's result. Throws Error as conv2d does for those shapes.
Shape conv2d_shape(const Shape& x, const Shape& w, const Conv2dOptions& options = {});

struct BatchNormOptions {
  float epsilon = 1e-5f;
  Bounds bounds = {};
};

/// Batch normalization with given statistics (Ioffe and Szegedy 2015): over the last axis,
/// y = clamp((x - mean) / sqrt(variance + epsilon) * gamma + beta).
/// x [..., C], the others [C]. Throws Error on another shape and unless epsilon is finite and >= 0.
/// Not differentiated with respect to mean and variance.
Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                  const Tensor& variance, const BatchNormOptions& options = {});

struct BatchNormTrainingOptions {
  float epsilon = 1e-5f;
  float momentum = 0.1f;
  Bounds bounds = {};
};

/// Batch normalization with the statistics of x itself, over all but the last axis, through which
/// the gradient goes too. Moves the running ones, in place, as PyTorch does:
/// running = (1 - momentum) running + momentum batch, where the batch's variance counts as
/// n / (n - 1) of the one that normalizes, n values a channel. Throws Error as batch_norm does,
/// unless 0 <= momentum <= 1, for n < 2, and while a network is recorded.
Tensor batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                           Tensor& running_mean, Tensor& running_variance,
                           const BatchNormTrainingOptions& options = {});

/// min(max(x, bounds.lo), bounds.hi), any shape. Throws Error when the bounds are out of order.
Tensor clamp(const Tensor& x, Bounds bounds);

/// max(x, 0), any shape.
Tensor relu(const Tensor& x);

/// min(max(x, 0), 6), any shape.
Tensor relu6(const Tensor& x);

/// x / (1 - rate), but zero with probability `rate` (Srivastava et al. 2014), any shape. Draws one
/// number of `rng` for each value. Throws Error unless 0 <= rate < 1, and while a network is
/// recorded.
Tensor dropout(const Tensor& x, float rate, Rng& rng);

/// a + b. Throws Error unless both have one shape.
Tensor add(const Tensor& a, const Tensor& b);

/// The mean over the pixels: [N, H, W, C] -> [N, C]. Throws Error on another rank or no pixels.
Tensor global_average_pool(const Tensor& x);

/// x [N, I] times w [O, I] transposed, plus bias [O] or empty -> [N, O]. Throws Error on a shape
/// that does not fit.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias);

/// Along the last axis: exp(x) / sum exp(x), computed without overflow. Throws Error on rank 0.
Tensor softmax(const Tensor& x);

}  // namespace lamina::nn
