#pragma once

#include "models/checkpoint/onnx/constant.h"

namespace lamina::models::onnx {

/// [O, I, KH, KW] -> [O, KH, KW, I]. Throws Error for another rank, integers or no values.
Tensor convolution_weight(const Constant& weight);

/// One value for each channel: [C], or one that stands for all.
Tensor channel_values(const Constant& values, std::size_t channels, const char* what);

/// Throws Error when the numbers are integers.
void check_floating(const Constant& values, const char* what);

}  // namespace lamina::models::onnx
