#pragma once

#include "models/checkpoint/onnx/constant.h"
#include "nn/graph.h"

namespace lamina::models::onnx {

/// Axes of a graph's tensors, [N, H, W, C] or [N, C].
enum class Axis : std::uint8_t { n, c, h, w };
using Axes = std::vector<Axis>;

/// A tensor of the file's network: the tensor of a node of ours, seen as the file sees it. Layouts,
/// flattening and axes of extent 1 are views, so they cost nothing. Each axis of the view runs over
/// the axes of the node's tensor that it lists, the last one fastest.
struct View {
  std::size_t node = 0;
  std::vector<Axes> axes;
  nn::Padding padding = {};  ///< zeros around the image that no node has added yet
  bool is_only_use = false;  ///< nothing else reads the node's tensor
};

/// Pixels and channels of a node's tensor.
std::int64_t extent_of(const Shape& shape, Axis axis);
Dims dims_of(const View& view, const Shape& shape);

/// Whether the axis of a view runs over exactly those of the tensor, axes of extent 1 aside.
bool runs_over(const Axes& axes, const Axes& wanted, const Shape& shape);

/// Whether the view is [N, C, H, W] or [N, C] of its node's tensor.
bool is_channels_first(const View& view, const Shape& shape);

/// Throw Error when images would mix with one another, or parts of an axis with another axis.
View transposed(const View& view, const Dims& order);
View reshaped(const View& view, const Dims& dims, const Shape& shape);

}  // namespace lamina::models::onnx
