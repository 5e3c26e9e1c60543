#pragma once

#include "nn/layers.h"

namespace lamina::test {

/// Gives every tensor values in [-0.4, 0.4), variances in [0.5, 2.5).
void randomize(nn::Module& module);

/// Every operation that a plan can run, [N, H, W, 3] -> [N, 5]: a stem, a block with a residual,
/// one without, a grouped and a dilated convolution, a norm and an activation of their own, both
/// orders of addition.
class EveryOperation : public nn::Module {
 public:
  explicit EveryOperation(nn::PaddingMode padding);
  Tensor forward(const Tensor& x) const override;
  void members(nn::Members& visit) override;

 private:
  nn::ConvNormActivation stem_, filter_, project_, expand_, filter2_, project2_;
  nn::Conv2d grouped_, dilated_, wide_;
  nn::BatchNorm2d norm_;
  nn::Linear linear_;
};

}  // namespace lamina::test
