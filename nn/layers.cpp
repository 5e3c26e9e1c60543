#include "nn/layers.h"

#include "core/error.h"

namespace lamina::nn {
namespace {

const Conv2dLayerOptions& checked(const Conv2dLayerOptions& options) {
  const auto& [in, out, kernel, stride, dilation, groups, padding] = options;
  check(in > 0 && out > 0 && groups > 0 && in % groups == 0 && out % groups == 0,
        "Conv2d: channels must be positive multiples of the groups: ", in, " to ", out,
        " channels, ", groups, groups == 1 ? " group" : " groups");
  check(kernel.h > 0 && kernel.w > 0, "Conv2d: kernel must be at least 1 x 1: got ", kernel.h,
        " x ", kernel.w);
  return options;
}

}  // namespace

Conv2d::Conv2d(const Conv2dLayerOptions& options)
    : weight(Tensor::zeros({checked(options).out_channels, options.kernel.h, options.kernel.w,
                            options.in_channels / options.groups})),
      options_(options) {}

Tensor Conv2d::forward(const Tensor& x, Bounds bounds) const {
  check(x.shape().rank() == 4, "Conv2d: input must be [N, H, W, C]: got ", x.shape());
  return conv2d(x, weight, bias, op_options({x.shape()[1], x.shape()[2]}, bounds));
}

void Conv2d::members(Members& visit) {
  visit.parameter("weight", weight);
  if (!bias.empty()) {
    visit.parameter("bias", bias);
  }
}

Conv2dOptions Conv2d::op_options(Size2 input, Bounds bounds) const {
  const auto& [in, out, kernel, stride, dilation, groups, mode] = options_;
  const Size2 half = {dilation.h * (kernel.h - 1) / 2, dilation.w * (kernel.w - 1) / 2};
  return {.stride = stride,
          .padding = mode == PaddingMode::same ? same_padding(input, kernel, stride, dilation)
                                               : Padding::symmetric(half),
          .dilation = dilation,
          .groups = groups,
          .bounds = bounds};
}

BatchNorm2d::BatchNorm2d(std::size_t channels, float epsilon)
    : gamma(Tensor::full({channels}, 1.0f)),
      beta(Tensor::zeros({channels})),
      running_mean(Tensor::zeros({channels})),
      running_variance(Tensor::full({channels}, 1.0f)),
      epsilon_(epsilon) {}

Tensor BatchNorm2d::forward(const Tensor& x, Bounds bounds) const {
  if (is_training()) {
    Tensor mean = running_mean;  // handles on the same values
    Tensor variance = running_variance;
    return batch_norm_training(x, gamma, beta, mean, variance,
                               {.epsilon = epsilon_, .momentum = momentum_, .bounds = bounds});
  }
  return batch_norm(x, gamma, beta, running_mean, running_variance,
                    {.epsilon = epsilon_, .bounds = bounds});
}

void BatchNorm2d::set_momentum(float momentum) {
  check(momentum >= 0.0f && momentum <= 1.0f, "BatchNorm2d: momentum must be from 0 to 1: got ",
        momentum);
  momentum_ = momentum;
}

void BatchNorm2d::members(Members& visit) {
  visit.parameter("weight", gamma);
  visit.parameter("bias", beta);
  visit.buffer("running_mean", running_mean);
  visit.buffer("running_var", running_variance);
}

Linear::Linear(std::size_t in_features, std::size_t out_features)
    : weight(Tensor::zeros({out_features, in_features})), bias(Tensor::zeros({out_features})) {
  check(in_features > 0 && out_features > 0, "Linear: features must be positive: ", in_features,
        " to ", out_features);
}

void Linear::members(Members& visit) {
  visit.parameter("weight", weight);
  visit.parameter("bias", bias);
}

Dropout::Dropout(float rate) : rate_(rate) {
  check(rate >= 0.0f && rate < 1.0f, "Dropout: rate must be at least 0 and below 1: got ", rate);
}

Tensor Dropout::forward(const Tensor& x) const {
  return is_training() && rate_ > 0.0f ? dropout(x, rate_, rng_) : x;
}

Tensor Sequential::forward(const Tensor& x) const {
  Tensor y = x;
  for (const auto& part : parts_) {
    y = part->forward(y);
  }
  return y;
}

void Sequential::members(Members& visit) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    visit.module(std::to_string(i), *parts_[i]);
  }
}

ConvNormActivation::ConvNormActivation(const Conv2dLayerOptions& convolution, Activation activation,
                                       float epsilon, ConvNormNames names)
    : convolution_(convolution),
      norm_(std::in_place, convolution.out_channels, epsilon),
      activation_(activation),
      names_(std::move(names)) {}

Bounds ConvNormActivation::bounds() const {
  switch (activation_) {
    case Activation::none:
      return {};
    case Activation::relu:
      return kReluBounds;
    case Activation::relu6:
      break;
  }
  return kRelu6Bounds;
}

Tensor ConvNormActivation::forward(const Tensor& x) const {
  return norm_ ? norm_->forward(convolution_(x), bounds()) : convolution_.forward(x, bounds());
}

void ConvNormActivation::members(Members& visit) {
  visit.module(names_.convolution, convolution_);
  if (norm_) {
    visit.module(names_.norm, *norm_);
  }
}

}  // namespace lamina::nn
