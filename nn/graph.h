#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "nn/module.h"
#include "nn/ops.h"

/// A network's forward pass as data: what a plan is compiled from.
namespace lamina::nn {

struct InputNode {};
struct ConvolutionNode {
  Tensor weight, bias;  ///< [O, KH, KW, I / groups]; [O] or empty
  Conv2dOptions options;
};
struct BatchNormNode {
  Tensor gamma, beta, mean, variance;
  BatchNormOptions options;
};
struct ClampNode {
  Bounds bounds;
};
struct AddNode {};
struct PoolNode {};
struct LinearNode {
  Tensor weight, bias;  ///< [O, I]; [O] or empty
};
struct SoftmaxNode {};

using Operation = std::variant<InputNode, ConvolutionNode, BatchNormNode, ClampNode, AddNode,
                               PoolNode, LinearNode, SoftmaxNode>;

/// One operation and the tensor it makes. Tensors inside an operation share the module's memory.
struct Node {
  std::string name;  ///< of the module's weight, as "features.3.conv.0.0"; else "add", "pool", ...
  Operation operation;
  std::vector<std::size_t> inputs;  ///< the nodes whose tensors it takes
  Shape shape;                      ///< of its result
};

/// Nodes in an order in which they can run; the first is the input.
struct Graph {
  std::vector<Node> nodes;
  std::size_t output = 0;  ///< the node whose tensor is the result
};

/// Records module.forward() on an input of that shape, computing nothing. Throws Error where the
/// forward pass would, when it makes a tensor from others than the input and its own weights, and
/// when a part of the module is in training.
Graph trace(Module& module, const Shape& input);

}  // namespace lamina::nn
