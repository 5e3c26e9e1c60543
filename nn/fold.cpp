#include <cmath>

#include "nn/layers.h"

namespace lamina::nn {

void ConvNormActivation::fold() {
  if (!norm_) {
    return;
  }
  const std::size_t channels = norm_->gamma.size();
  const std::size_t row = convolution_.weight.size() / channels;
  Tensor weight = convolution_.weight.clone();  // the old one may be shared
  Tensor bias = Tensor::uninitialized({channels});
  for (std::size_t c = 0; c < channels; ++c) {
    const double variance = norm_->running_variance.data()[c];
    const double factor = norm_->gamma.data()[c] / std::sqrt(variance + norm_->epsilon());
    for (std::size_t i = c * row; i < (c + 1) * row; ++i) {
      weight.data()[i] = static_cast<float>(weight.data()[i] * factor);
    }
    const double old = convolution_.bias.empty() ? 0.0 : convolution_.bias.data()[c];
    const double shifted = (old - norm_->running_mean.data()[c]) * factor;
    bias.data()[c] = static_cast<float>(norm_->beta.data()[c] + shifted);
  }
  convolution_.weight = std::move(weight);
  convolution_.bias = std::move(bias);
  norm_.reset();
}

void fold_batch_norm(Module& module) {
  for_each_module(module, [](const std::string&, Module& part) {
    if (auto* layer = dynamic_cast<ConvNormActivation*>(&part)) {
      layer->fold();
    }
  });
}

}  // namespace lamina::nn
