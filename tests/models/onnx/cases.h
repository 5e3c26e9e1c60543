#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/ops.h"
#include "tests/models/onnx/model.h"

namespace lamina::test {

/// A small model, and what our own operations, called one by one, make of its input.
struct OnnxCase {
  std::string name;
  OnnxModel model;
  std::function<Tensor(const Tensor&)> want;  ///< of [N, H, W, C]
  Shape input = {1, 6, 5, 3};                 ///< [N, H, W, C]
  double tolerance = 2e-5;
  double rounding = 0.0;  ///< how far quantized activations are from these
};

/// Convolutions, pools, layouts and products; what is done to each value; constants.
std::vector<OnnxCase> window_cases();
std::vector<OnnxCase> layout_cases();
std::vector<OnnxCase> elementwise_cases();
std::vector<OnnxCase> constant_cases();
std::vector<OnnxCase> all_cases();

}  // namespace lamina::test
