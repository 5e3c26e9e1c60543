#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/graph.h"

namespace lamina::nn {

/// One operation of a graph with what was fused into it: batch norm folded into the weights, bounds
/// applied as results are written, an addition as the residual.
struct FusedLayer {
  enum class Kind { convolution, linear, pool, scale_shift, add, clamp, softmax };
  Kind kind;
  std::string name;
  std::vector<std::size_t> inputs;      // values: 0 is the input, i + 1 the result of layer i
  std::optional<std::size_t> residual;  // the value added after the bounds
  Shape in, out;
  Tensor weight, bias;  // convolution, linear; scales and shifts of scale_shift
  Conv2dOptions options;
  Bounds bounds;
};

/// The layers of a graph, in order. Nodes whose result has one reader are fused into what makes it.
/// Throws Error when the graph's output is not its last node.
std::vector<FusedLayer> fuse(const Graph& graph);

}  // namespace lamina::nn
