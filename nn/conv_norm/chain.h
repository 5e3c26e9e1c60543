#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "nn/conv_norm/layer.h"

/// Inside nn only: the passes of a chain of layers.
namespace lamina::nn {

struct ParameterGradients {
  Tensor weight, gamma, beta;
};

class Chain {
 public:
  /// For layers that is_conv_norm_chain() takes, with images of x's shape.
  Chain(const Tensor& x, const std::vector<ConvNorm>& layers);

  /// The last layer's result, normalized and clamped, plus `residual` unless it is null. Moves the
  /// running statistics.
  Tensor forward(const float* residual);

  /// Frees each convolution's result; remember() makes them again.
  void forget();
  void remember();

  /// The gradients of each layer's parameters, and of x into `dx` where asked for. Frees each
  /// convolution's result.
  enum class Wants { parameters, parameters_and_x };
  std::vector<ParameterGradients> backward(Tensor dy, Wants wants, Tensor& dx);

 private:
  // A layer, what it computed, and the batch's statistics.
  struct Stage {
    ConvNorm layer;
    std::unique_ptr<ChainLayer> convolution;
    std::size_t count;  // values of a channel
    Tensor z;
    std::unique_ptr<Normalization> norm;

    ChainSource result() const { return {.values = z, .norm = norm.get(), .bounds = layer.bounds}; }
    void normalize(const BatchStatistics& batch);
    ChainUpstream upstream(const Tensor& dy, const ChannelSums& sums,
                           ParameterGradients& gradients) const;
  };

  ChainSource source(std::size_t stage) const;
  void convolve(std::size_t stage, ChainMoments* moments);
  Tensor result(const float* residual) const;
  TaskSums last_sums(const Tensor& dy) const;

  const kernels::KernelTable& kernels_;
  Tensor x_;
  std::vector<std::unique_ptr<Stage>> stages_;  // the convolutions refer to their layers
};

}  // namespace lamina::nn
