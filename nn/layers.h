#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nn/module.h"
#include "nn/ops.h"

namespace lamina::nn {

/// How much zero padding a convolution adds, decided per input.
enum class PaddingMode {
  symmetric,  ///< dilation * (kernel - 1) / 2 pixels on every side, as PyTorch's models use
  same,       ///< TensorFlow's "SAME": as little as needed, an odd pixel below and to the right
};

struct Conv2dLayerOptions {
  std::size_t in_channels, out_channels;
  Size2 kernel = 1;
  Size2 stride = 1;
  Size2 dilation = 1;
  std::size_t groups = 1;
  PaddingMode padding = PaddingMode::symmetric;
};

/// x [N, H, W, in_channels] -> [N, OH, OW, out_channels]; parameters weight
/// [O, KH, KW, I / groups] and, once set, bias [O].
class Conv2d : public Module {
 public:
  /// Weights zero, no bias. Throws Error when the channels are zero or no multiple of the groups,
  /// or a side of the kernel is zero.
  explicit Conv2d(const Conv2dLayerOptions& options);

  Tensor forward(const Tensor& x) const override { return forward(x, Bounds{}); }
  /// With the result clamped as it is written.
  Tensor forward(const Tensor& x, Bounds bounds) const;
  void members(Members& visit) override;

  const Conv2dLayerOptions& options() const { return options_; }
  /// The options of the op for images of that height and width.
  Conv2dOptions op_options(Size2 input, Bounds bounds = {}) const;

  Tensor weight;
  Tensor bias;  ///< Empty: none.

 private:
  Conv2dLayerOptions options_;
};

/// Batch normalization: y = (x - mean) / sqrt(var + eps) gamma + beta. While training with the
/// statistics of the batch, which move the running ones; in evaluation, or frozen, with those.
class BatchNorm2d : public Module {
 public:
  /// gamma and variance one, beta and mean zero, momentum 0.1.
  explicit BatchNorm2d(std::size_t channels, float epsilon = 1e-5f);

  Tensor forward(const Tensor& x) const override { return forward(x, Bounds{}); }
  Tensor forward(const Tensor& x, Bounds bounds) const;
  void members(Members& visit) override;  ///< weight, bias, running_mean, running_var

  float epsilon() const { return epsilon_; }

  /// The share of a batch in the running statistics.
  float momentum() const { return momentum_; }
  /// Throws Error unless 0 <= momentum <= 1.
  void set_momentum(float momentum);

  Tensor gamma, beta;
  Tensor running_mean, running_variance;  ///< Their values change while training.

 private:
  float epsilon_;
  float momentum_ = 0.1f;
};

/// min(max(x, 0), 6).
class Relu6 : public Module {
 public:
  Tensor forward(const Tensor& x) const override { return relu6(x); }
  void members(Members&) override {}
};

/// x [N, I] -> [N, O]; parameters weight [O, I], bias [O].
class Linear : public Module {
 public:
  /// Weights and bias zero. Throws Error when a number of features is zero.
  Linear(std::size_t in_features, std::size_t out_features);
  Tensor forward(const Tensor& x) const override { return linear(x, weight, bias); }
  void members(Members& visit) override;

  Tensor weight, bias;
};

/// Zeroes values at random while training; leaves them as they are in evaluation.
class Dropout : public Module {
 public:
  /// Throws Error unless 0 <= rate < 1. Draws from Rng(0).
  explicit Dropout(float rate);
  Tensor forward(const Tensor& x) const override;
  void members(Members&) override {}

  float rate() const { return rate_; }

  /// Where the next forward pass draws from, and where the one after the last would: given a stream
  /// for every step, a continued training draws what an uninterrupted one does.
  void set_rng(const Rng& rng) { rng_ = rng; }
  const Rng& rng() const { return rng_; }

 private:
  float rate_;
  mutable Rng rng_{0};  // a forward pass leaves everything else as it is
};

/// One module after the other, named "0", "1", ...
class Sequential : public Module {
 public:
  Sequential() = default;

  template <class Part, class... Arguments>
  Part& emplace(Arguments&&... arguments) {
    auto part = std::make_unique<Part>(std::forward<Arguments>(arguments)...);
    Part& added = *part;
    parts_.push_back(std::move(part));
    return added;
  }

  Tensor forward(const Tensor& x) const override;
  void members(Members& visit) override;

  std::size_t size() const { return parts_.size(); }
  const Module& operator[](std::size_t i) const { return *parts_[i]; }

 private:
  std::vector<std::unique_ptr<Module>> parts_;
};

/// What the parts of a ConvNormActivation are called.
struct ConvNormNames {
  std::string convolution = "0";
  std::string norm = "1";
};

/// Convolution, batch norm and activation as one layer.
/// fold() leaves the convolution alone, with a bias.
class ConvNormActivation : public Module {
 public:
  enum class Activation { none, relu, relu6 };

  /// As Conv2d and BatchNorm2d begin. Throws Error as Conv2d does.
  ConvNormActivation(const Conv2dLayerOptions& convolution, Activation activation, float epsilon,
                     ConvNormNames names = {});

  Tensor forward(const Tensor& x) const override;
  void members(Members& visit) override;

  /// Scales the weights by gamma / sqrt(var + eps), takes the rest as the bias, and drops the
  /// norm. Computed in double. Nothing happens the second time.
  void fold();

  const Conv2d& convolution() const { return convolution_; }
  const std::optional<BatchNorm2d>& norm() const { return norm_; }
  Activation activation() const { return activation_; }
  Bounds bounds() const;  ///< Of the activation.

 private:
  Conv2d convolution_;
  std::optional<BatchNorm2d> norm_;
  Activation activation_;
  ConvNormNames names_;
};

/// Folds every batch norm of `module` into its convolution: same outputs, fewer parameters.
void fold_batch_norm(Module& module);

}  // namespace lamina::nn
