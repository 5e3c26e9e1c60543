#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/checkpoint/graph_file.h"
#include "models/checkpoint/tflite/constants.h"
#include "models/checkpoint/tflite/model.h"

namespace lamina::models::tflite {

/// Turns the operators of a file's first subgraph into a GraphFile. Inside models only.
class Importer {
 public:
  Importer(const Model& model, std::uint64_t file_bytes);

  GraphFile run();

 private:
  // What an operator has made. The node's tensor may have another shape than the file's: without
  // axes of one pixel, and without padding that the next convolution will add.
  struct Value {
    std::size_t node;
    nn::Padding padding = {};
    bool has_padding() const { return padding != nn::Padding{}; }
  };

  void add_input();
  void add(const Operator& op);
  void add_convolution(const Operator& op);
  void add_depthwise(const Operator& op);
  void add_fully_connected(const Operator& op);
  void add_sum(const Operator& op);
  void add_average_pool(const Operator& op);
  void add_mean(const Operator& op);
  void add_pad(const Operator& op);
  void add_softmax(const Operator& op);
  void add_reshape(const Operator& op);
  void add_quantize(const Operator& op);
  void add_clamp(const Operator& op, ActivationCode activation);

  // Argument i of the operator, counted from 0; throws Error where there is none.
  TensorView input(const Operator& op, std::size_t i) const;
  TensorView output(const Operator& op) const;
  bool has_input(const Operator& op, std::size_t i) const;
  // The constant that argument i is, as it is stored or by way of DEQUANTIZE.
  TensorView constant(const Operator& op, std::size_t i) const;
  // Bias of `count` values or empty. The integers' scale is that of x times that of the weights.
  Tensor bias(const Operator& op, std::size_t count);
  // Argument i, made by an operator; with padding only where the operator takes it.
  const Value& value(const Operator& op, std::size_t i) const;
  const Value& unpadded(const Operator& op, std::size_t i) const;
  Shape shape(const Value& value) const { return file_.graph.nodes[value.node].shape; }

  struct Window {
    nn::Size2 stride, dilation;
    PaddingCode padding;
    ActivationCode activation;
  };
  void convolve(const Operator& op, const Tensor& weight, std::size_t groups, const Window& window);
  void pool(const Operator& op, const Value& x);

  // Adds a node whose result is the operator's output, of the shape that the file declares there up
  // to axes of one pixel.
  void make(const Operator& op, nn::Operation operation, std::vector<std::size_t> inputs,
            const Shape& shape);
  // make() and what clamps its result.
  void make_bounded(const Operator& op, nn::Operation operation, std::vector<std::size_t> inputs,
                    const Shape& shape, ActivationCode activation);
  nn::Bounds bounds(ActivationCode activation, const TensorView& output) const;
  void set(const Operator& op, const Value& value);

  void finish();
  void describe_input(const TensorView& image);

  const Model& model_;
  Constants constants_;
  GraphFile file_;
  std::map<std::size_t, Value> values_;             // by the index of their tensor
  std::map<std::size_t, std::size_t> dequantized_;  // a constant's other index -> its own
};

/// Whether they differ in axes of one element only. The batch, which may be one, stays in front.
bool same_up_to_ones(const Extents& declared, const Shape& shape);

/// The same network without the nodes that its output does not need.
nn::Graph pruned(const nn::Graph& graph);

}  // namespace lamina::models::tflite
