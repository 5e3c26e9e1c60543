#pragma once

#include <string>
#include <vector>

#include "models/checkpoint/onnx/view.h"
#include "nn/graph.h"

namespace lamina::models::onnx {

/// Makes the nodes of the graph. Weights are charged to the budget. Every function throws Error
/// where the shapes do not fit, and returns a channels-first view of the new node unless said.
class Builder {
 public:
  explicit Builder(Budget& budget) : budget_(budget) {}

  /// What the next nodes are called.
  void set_name(std::string name) { name_ = std::move(name); }

  View input(const Shape& shape, std::vector<Axes> axes);
  View convolution(const View& x, const Tensor& weight, const Tensor& bias,
                   const nn::Conv2dOptions& options);
  /// x [N, C] of rank 2.
  View linear(const View& x, const Tensor& weight, const Tensor& bias);
  /// x * scale + shift along the channels, in x's view.
  View affine(const View& x, nn::BatchNormNode norm);
  View clamp(const View& x, nn::Bounds bounds);
  View add(const View& a, const View& b);
  View softmax(const View& x);
  /// -> [N, C].
  View pool(const View& x);

  /// Adds to the bias of the convolution or product that made x. False when that is not so, or
  /// something else reads x too.
  bool add_to_bias(const View& x, const Tensor& bias);

  /// The same with its padding made by a node, where it has some.
  View without_padding(const View& x);
  /// The same as the tensor [N, C]. Throws Error when it has more than one pixel.
  View as_vector(const View& x);

  const Shape& shape(const View& x) const { return graph_.nodes[x.node].shape; }
  Dims dims(const View& x) const { return dims_of(x, shape(x)); }

  void charge(std::uint64_t values) { budget_.charge(values); }
  Budget& budget() { return budget_; }

  void remark(const std::string& sentence);
  std::vector<std::string> take_remarks() { return std::move(remarks_); }

  /// The graph up to x, without nodes that x does not need.
  nn::Graph finish(const View& x);

 private:
  std::size_t push(nn::Operation operation, std::vector<std::size_t> inputs, const Shape& shape);

  Budget& budget_;
  nn::Graph graph_;
  std::string name_;
  std::vector<std::string> remarks_;
};

/// As PyTorch's axes: [N, C, H, W].
std::vector<Axes> channels_first();

}  // namespace lamina::models::onnx
