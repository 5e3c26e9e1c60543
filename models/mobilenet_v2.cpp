#include "models/mobilenet_v2.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"

namespace lamina::models {
namespace {

constexpr float kMaxWidth = 1000.0f;

double as_printed(float value) {
  std::array<char, 32> digits{};
  const auto printed = std::to_chars(digits.begin(), digits.end(), value);
  double result = 0.0;
  std::from_chars(digits.begin(), printed.ptr, result);
  return result;
}

void check_options(const MobileNetV2Options& options) {
  check(options.classes >= 1, "MobileNetV2: classes must be at least 1: got ", options.classes);
  check(options.width > 0.0f && options.width <= kMaxWidth,
        "MobileNetV2: width must be above 0 and at most ", kMaxWidth, ": got ", options.width);
  check(options.dropout >= 0.0f && options.dropout < 1.0f,
        "MobileNetV2: dropout must be at least 0 and below 1: got ", options.dropout);
  check(options.epsilon > 0.0f && std::isfinite(options.epsilon),
        "MobileNetV2: epsilon must be above 0 and finite: got ", options.epsilon);
  check(options.round_to >= 1 && options.round_to <= 1024,
        "MobileNetV2: round_to must be from 1 to 1024: got ", options.round_to);
  check(is_stride(options.stride), "MobileNetV2: stride must be 4, 8, 16 or 32: got ",
        options.stride);
}

std::size_t first_stride(const MobileNetV2Options& options) { return options.stride < 32 ? 1 : 2; }

std::size_t stage_stride(const MobileNetV2Options& options, std::size_t stage) {
  const bool keeps_pixels =
      (stage == 1 && options.stride <= 8) || (stage == 2 && options.stride == 4);
  return keeps_pixels ? 1 : kStages[stage].stride;
}

MobileNetV2Options completed(MobileNetV2Options options) {
  const Channels channels = channels_for(options);
  options.first_channels = channels.first;
  options.last_channels = channels.last;
  return options;
}

}  // namespace

bool is_stride(std::size_t stride) {
  return stride == 4 || stride == 8 || stride == 16 || stride == 32;
}

std::size_t make_divisible(double channels, std::size_t divisor) {
  const double unit = static_cast<double>(divisor);
  double rounded = std::max(1.0, std::floor((channels + unit / 2) / unit)) * unit;
  if (rounded < 0.9 * channels) {
    rounded += unit;
  }
  return static_cast<std::size_t>(rounded);
}

Channels channels_for(const MobileNetV2Options& options) {
  check_options(options);
  const double width = as_printed(options.width);
  Channels channels{};
  channels.first = options.first_channels != 0 ? options.first_channels
                                               : make_divisible(32 * width, options.round_to);
  for (std::size_t i = 0; i < kStages.size(); ++i) {
    const auto stage = static_cast<double>(kStages[i].channels);
    channels.stages[i] = make_divisible(stage * width, options.round_to);
  }
  channels.last = options.last_channels != 0
                      ? options.last_channels
                      : make_divisible(1280 * std::max(1.0, width), options.round_to);
  return channels;
}

namespace {

using Layers = std::vector<const nn::ConvNormActivation*>;

Layers layers_of(const InvertedResidual& block) {
  Layers layers;
  for (const InvertedResidual::Part& part : block.parts()) {
    layers.push_back(part.layer);
  }
  return layers;
}

// One op for all of the layers while they train; empty where they have to run by themselves.
Tensor forward_fused(const Layers& layers, const Tensor& x, nn::TrainingOps ops,
                     nn::ConvNormChainOptions options = {}) {
  if (ops == nn::TrainingOps::separate) {
    return {};
  }
  const auto chain = nn::training_chain(layers, x.shape());
  if (!chain) {
    return {};
  }
  options.keep = ops == nn::TrainingOps::fused ? nn::Keep::convolutions : nn::Keep::input;
  return nn::conv_norm_chain(x, *chain, options);
}

}  // namespace

InvertedResidual::InvertedResidual(const Options& options)
    : expand_(options.expansion == 1
                  ? nullptr
                  : std::make_unique<nn::ConvNormActivation>(
                        nn::Conv2dLayerOptions{.in_channels = options.in_channels,
                                               .out_channels = options.hidden_channels()},
                        options.activation, options.epsilon)),
      depthwise_({.in_channels = options.hidden_channels(),
                  .out_channels = options.hidden_channels(),
                  .kernel = 3,
                  .stride = options.stride,
                  .groups = options.hidden_channels(),
                  .padding = options.padding},
                 options.activation, options.epsilon),
      project_({.in_channels = options.hidden_channels(), .out_channels = options.out_channels},
               Activation::none, options.epsilon,
               expand_ ? nn::ConvNormNames{"2", "3"} : nn::ConvNormNames{"1", "2"}),
      has_residual_(options.stride == 1 && options.in_channels == options.out_channels) {}

Tensor InvertedResidual::forward(const Tensor& x) const {
  using Residual = nn::ConvNormChainOptions::Residual;
  const Residual residual = has_residual_ ? Residual::input : Residual::none;
  Tensor fused = forward_fused(layers_of(*this), x, ops_, {.residual = residual});
  if (!fused.empty()) {
    return fused;
  }
  Tensor y = expand_ ? expand_->forward(x) : x;
  y = depthwise_(y);
  y = project_(y);
  return has_residual_ ? nn::add(x, y) : y;
}

void InvertedResidual::members(nn::Members& visit) {
  if (expand_) {
    visit.module("conv.0", *expand_);
  }
  visit.module(expand_ ? "conv.1" : "conv.0", depthwise_);
  visit.module("conv", project_);
}

std::vector<InvertedResidual::Part> InvertedResidual::parts() const {
  if (!expand_) {
    return {{"conv.0.0", &depthwise_}, {"conv.1", &project_}};
  }
  return {{"conv.0.0", expand_.get()}, {"conv.1.0", &depthwise_}, {"conv.2", &project_}};
}

MobileNetV2::MobileNetV2(const MobileNetV2Options& options)
    : options_(completed(options)),
      stem_({.in_channels = 3,
             .out_channels = channels_for(options_).first,
             .kernel = 3,
             .stride = first_stride(options_),
             .padding = options_.padding},
            options_.activation, options_.epsilon),
      last_({.in_channels = channels_for(options_).stages.back(),
             .out_channels = options_.last_channels},
            options_.activation, options_.epsilon) {
  const Channels channels = channels_for(options_);
  std::size_t in = channels.first;
  for (std::size_t i = 0; i < kStages.size(); ++i) {
    for (std::size_t repeat = 0; repeat < kStages[i].repeats; ++repeat) {
      blocks_.push_back(std::make_unique<InvertedResidual>(
          InvertedResidual::Options{.in_channels = in,
                                    .out_channels = channels.stages[i],
                                    .expansion = kStages[i].expansion,
                                    .stride = repeat == 0 ? stage_stride(options_, i) : 1,
                                    .padding = options_.padding,
                                    .epsilon = options_.epsilon,
                                    .activation = options_.activation}));
      in = channels.stages[i];
    }
  }
  dropout_ = &classifier_.emplace<nn::Dropout>(options_.dropout);
  classifier_.emplace<nn::Linear>(options_.last_channels, options_.classes);
}

Tensor MobileNetV2::features(const Tensor& x) const {
  check_input(x.shape());
  auto [y, done] = first_layers(x);
  for (std::size_t i = done; i < blocks_.size(); ++i) {
    y = blocks_[i]->forward(y);
  }
  const Tensor last = forward_fused({&last_}, y, ops_);
  return nn::global_average_pool(last.empty() ? last_(y) : last);
}

// The first convolution, in training in one chain with the block after it.
std::pair<Tensor, std::size_t> MobileNetV2::first_layers(const Tensor& x) const {
  if (!blocks_[0]->has_residual()) {
    Layers layers = layers_of(*blocks_[0]);
    layers.insert(layers.begin(), &stem_);
    Tensor fused = forward_fused(layers, x, ops_);
    if (!fused.empty()) {
      return {fused, 1};
    }
  }
  const Tensor fused = forward_fused({&stem_}, x, ops_);
  return {fused.empty() ? stem_(x) : fused, 0};
}

void MobileNetV2::set_training_ops(nn::TrainingOps ops) {
  ops_ = ops;
  for (auto& block : blocks_) {
    block->set_training_ops(ops);
  }
}

void MobileNetV2::set_dropout_rng(const Rng& rng) { dropout_->set_rng(rng); }

Tensor MobileNetV2::forward(const Tensor& x) const { return classifier_(features(x)); }

void MobileNetV2::check_input(const Shape& x) const {
  const std::size_t least = options_.stride;
  check(x.rank() == 4 && x[1] >= least && x[2] >= least && x[3] == 3,
        "MobileNetV2: input must be [N, H, W, 3] with H and W at least ", least, ": got ", x);
}

void MobileNetV2::members(nn::Members& visit) {
  visit.module("features.0", stem_);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    visit.module(text("features.", i + 1), *blocks_[i]);
  }
  visit.module(text("features.", blocks_.size() + 1), last_);
  visit.module("classifier", classifier_);
}

}  // namespace lamina::models
