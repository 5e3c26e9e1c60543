#pragma once

#include "models/checkpoint/onnx/operation.h"
#include "nn/ops.h"

namespace lamina::models::onnx {

/// The window of Conv and AveragePool as their attributes give it.
struct WindowAttributes {
  nn::Size2 kernel = 1, stride = 1, dilation = 1;
  nn::Padding padding = {};  ///< theirs alone, without that of a Pad before them
};

/// `image` is what the window moves over, without padding. Throws Error unless the numbers are two
/// or four, positive and below 2^20.
WindowAttributes read_window(const Attributes& attributes, nn::Size2 kernel, nn::Size2 image);

/// Both paddings. Throws Error when they are out of range.
nn::Padding together(const nn::Padding& a, const nn::Padding& b);

/// A padding of ONNX: top, left, bottom, right.
nn::Padding to_padding(const Dims& pads);

/// Height and width of the view's tensor.
nn::Size2 image_size(const Shape& shape);

}  // namespace lamina::models::onnx
