#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nn/layers.h"
#include "nn/training_chain.h"

namespace lamina::models {

using Activation = nn::ConvNormActivation::Activation;

struct MobileNetV2Options {
  std::size_t classes = 1000;
  float width = 1.0f;    ///< multiplier of every channel count, > 0 (section 3.3 of the paper)
  float dropout = 0.2f;  ///< before the classifier, while training
  nn::PaddingMode padding = nn::PaddingMode::symmetric;
  float epsilon = 1e-5f;          ///< of batch norm; TensorFlow's models have 1e-3
  std::size_t round_to = 8;       ///< channel counts are multiples of this
  std::size_t last_channels = 0;  ///< of the last convolution; 0: 1280, wider where width > 1
  /// Input pixels to a pixel of the last convolution, either way: 32, 16, 8 or 4. Images of 28 or
  /// 32 pixels keep more of them with 16, where the first convolution has stride 1, with 8, where
  /// the second stage has too, or with 4, and the third.
  std::size_t stride = 32;
  Activation activation = Activation::relu6;  ///< after all but the linear bottlenecks
  std::size_t first_channels = 0;  ///< of the first convolution; 0: as many as the width says
};

/// One row of table 2 of the paper: `repeats` inverted residuals, the first with `stride`.
struct Stage {
  std::size_t expansion, channels, repeats, stride;
};
inline constexpr std::array<Stage, 7> kStages = {{
    {1, 16, 1, 1},
    {6, 24, 2, 2},
    {6, 32, 3, 2},
    {6, 64, 4, 2},
    {6, 96, 3, 1},
    {6, 160, 3, 2},
    {6, 320, 1, 1},
}};

/// The channel counts of a width: the first convolution's, those of kStages, the last one's.
struct Channels {
  std::size_t first;
  std::array<std::size_t, kStages.size()> stages;
  std::size_t last;
  bool operator==(const Channels&) const = default;
};

/// Whether MobileNetV2Options::stride can be that.
bool is_stride(std::size_t stride);

/// The channel counts for those options. The width counts as the decimal number it prints as, so
/// that 0.35f gives what 0.35 gives in Python. Throws Error when an option is out of range.
Channels channels_for(const MobileNetV2Options& options);

/// The multiple of `divisor` nearest to `channels`, at least `divisor`, never below 90 % of
/// `channels`.
std::size_t make_divisible(double channels, std::size_t divisor);

/// One layer of a network, at a given input: what a profile or a benchmark needs to know.
struct LayerInfo {
  enum class Kind { convolution, pointwise, depthwise, add, pool, linear };
  /// As its parameters are called, "features.3.conv.1.0"; "features.3.add"; "pool".
  std::string name;
  Kind kind;
  Shape input, output;             ///< [N, H, W, C], or [N, C] from the pool on
  nn::Conv2dOptions options = {};  ///< convolutions: stride, padding, groups, bounds
  nn::Size2 kernel = 1;
  std::size_t multiply_adds = 0;
  std::size_t parameters = 0;  ///< weights and biases with batch norm folded
};

/// Expand with a 1x1 convolution, filter each channel 3x3, project with a linear 1x1 convolution,
/// add the input where shapes allow (section 3.2 of the paper). Parts are named as torchvision's.
class InvertedResidual : public nn::Module {
 public:
  struct Options {
    std::size_t in_channels, out_channels, expansion, stride;
    nn::PaddingMode padding;
    float epsilon;
    Activation activation = Activation::relu6;
    std::size_t hidden_channels() const { return in_channels * expansion; }
  };
  explicit InvertedResidual(const Options& options);

  Tensor forward(const Tensor& x) const override;
  void members(nn::Members& visit) override;

  /// The convolutions in order, two or three, each with its name inside of the block.
  struct Part {
    std::string name;  ///< "conv.0.0", "conv.1.0", "conv.2"
    const nn::ConvNormActivation* layer;
  };
  std::vector<Part> parts() const;
  bool has_residual() const { return has_residual_; }

  void set_training_ops(nn::TrainingOps ops) { ops_ = ops; }

 private:
  std::unique_ptr<nn::ConvNormActivation> expand_;  // null where expansion is 1
  nn::ConvNormActivation depthwise_;
  nn::ConvNormActivation project_;
  bool has_residual_;
  nn::TrainingOps ops_ = nn::TrainingOps::fused;
};

/// MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018),
/// with torchvision's names: [N, H, W, 3], H and W at least the network's stride -> logits
/// [N, classes].
class MobileNetV2 : public nn::Module {
 public:
  /// Weights zero. Throws Error when an option is out of range.
  explicit MobileNetV2(const MobileNetV2Options& options = {});

  /// Throws Error on another rank, other than 3 channels, or an image smaller than the stride.
  Tensor forward(const Tensor& x) const override;
  /// Everything up to the pool: [N, last_channels].
  Tensor features(const Tensor& x) const;
  void members(nn::Members& visit) override;

  /// How it computes in training; fused from the start.
  void set_training_ops(nn::TrainingOps ops);

  /// Where dropout draws its numbers: training that gives every step a stream of its own can be
  /// interrupted and continued.
  void set_dropout_rng(const Rng& rng);

  /// Options with first_channels and last_channels filled in.
  const MobileNetV2Options& options() const { return options_; }

  const nn::ConvNormActivation& stem() const { return stem_; }  ///< "features.0"
  /// "features.1" to "features.17".
  std::span<const std::unique_ptr<InvertedResidual>> blocks() const { return blocks_; }
  const nn::ConvNormActivation& last() const { return last_; }  ///< "features.18"
  const nn::Sequential& classifier() const { return classifier_; }

  /// Every layer for an input [N, H, W, 3], in order of execution.
  std::vector<LayerInfo> layers(const Shape& input) const;

 private:
  void check_input(const Shape& x) const;
  // The result of the first layers, and how many blocks it includes.
  std::pair<Tensor, std::size_t> first_layers(const Tensor& x) const;

  MobileNetV2Options options_;
  nn::ConvNormActivation stem_;
  std::vector<std::unique_ptr<InvertedResidual>> blocks_;
  nn::ConvNormActivation last_;
  nn::Sequential classifier_;  // dropout, linear
  nn::Dropout* dropout_;
  nn::TrainingOps ops_ = nn::TrainingOps::fused;
};

}  // namespace lamina::models
