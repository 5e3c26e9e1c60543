#include "nn/fold.h"

#include <algorithm>
#include <cmath>

#include "nn/layers.h"

namespace lamina::nn {

Affine::Affine(const Tensor& gamma, const Tensor& beta, const Tensor& mean, const Tensor& variance,
               float epsilon) {
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double deviation = std::sqrt(double{variance.data()[c]} + double{epsilon});
    scale.push_back(gamma.data()[c] / deviation);
    shift.push_back(beta.data()[c] - mean.data()[c] * scale.back());
  }
}

FoldedWeights fold(const Tensor& weight, const Tensor& bias, const Affine& affine) {
  const std::size_t channels = affine.scale.size();
  const std::size_t row = weight.size() / channels;
  FoldedWeights folded{weight.clone(), Tensor::uninitialized({channels})};
  for (std::size_t c = 0; c < channels; ++c) {
    for (float& value : folded.weight.values().subspan(c * row, row)) {
      value = static_cast<float>(value * affine.scale[c]);
    }
    const double before = bias.empty() ? 0.0 : double{bias.data()[c]};
    folded.bias.data()[c] = static_cast<float>(before * affine.scale[c] + affine.shift[c]);
  }
  return folded;
}

Tensor to_tensor(const std::vector<double>& values) {
  Tensor tensor = Tensor::uninitialized({values.size()});
  std::ranges::transform(values, tensor.data(), [](double x) { return static_cast<float>(x); });
  return tensor;
}

void ConvNormActivation::fold() {
  if (!norm_) {
    return;
  }
  const Affine affine(norm_->gamma, norm_->beta, norm_->running_mean, norm_->running_variance,
                      norm_->epsilon());
  auto [weight, bias] = nn::fold(convolution_.weight, convolution_.bias, affine);
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
