#include "nn/training_chain.h"

namespace lamina::nn {

std::optional<std::vector<ConvNorm>> training_chain(
    const std::vector<const ConvNormActivation*>& layers, const Shape& x) {
  std::vector<ConvNorm> chain;
  Shape shape = x;
  for (const ConvNormActivation* layer : layers) {
    if (!layer->is_training() || !layer->norm() || !layer->norm()->is_training()) {
      return std::nullopt;
    }
    const BatchNorm2d& norm = *layer->norm();
    const Conv2d& convolution = layer->convolution();
    chain.push_back({.weight = convolution.weight,
                     .gamma = norm.gamma,
                     .beta = norm.beta,
                     .running_mean = norm.running_mean,
                     .running_variance = norm.running_variance,
                     .options = convolution.op_options({shape[1], shape[2]}),
                     .bounds = layer->bounds(),
                     .epsilon = norm.epsilon(),
                     .momentum = norm.momentum()});
    shape = conv2d_shape(shape, convolution.weight.shape(), chain.back().options);
  }
  if (!is_conv_norm_chain(x, chain)) {
    return std::nullopt;
  }
  return chain;
}

}  // namespace lamina::nn
