#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "nn/graph.h"

/// Inside models only: a graph read as a network of layers, from its input on.
namespace lamina::models {

/// A convolution with the batch norm and the bounds that follow it and belong to nothing else.
struct GraphLayer {
  const nn::ConvolutionNode* convolution;
  const nn::BatchNormNode* norm;  ///< null: there is none
  nn::Bounds bounds;
  std::size_t input, output;  ///< the nodes that make its input and its result
};

class GraphWalk {
 public:
  explicit GraphWalk(const nn::Graph& graph);

  const nn::Graph& graph() const { return graph_; }
  const Shape& shape(std::size_t node) const { return graph_.nodes[node].shape; }
  const std::vector<std::size_t>& readers(std::size_t node) const { return readers_[node]; }

  /// The convolution that takes the node's tensor; an addition may take it too. Throws Error, in
  /// the name of the layer, when there is none or more.
  GraphLayer convolution_after(std::size_t node, const std::string& layer) const;

  /// The only operation that takes the node's tensor, of that kind; else null.
  template <class Kind>
  const Kind* only_reader(std::size_t node) const {
    return readers_[node].size() == 1 && node != graph_.output
               ? std::get_if<Kind>(&graph_.nodes[readers_[node][0]].operation)
               : nullptr;
  }

  /// The addition that takes the tensors of both nodes.
  std::optional<std::size_t> sum_of(std::size_t a, std::size_t b) const;

 private:
  const nn::Graph& graph_;
  std::vector<std::vector<std::size_t>> readers_;
};

/// "a convolution", "an addition" ...
std::string kind_of(const nn::Operation& operation);

bool is_unbounded(nn::Bounds bounds);

}  // namespace lamina::models
