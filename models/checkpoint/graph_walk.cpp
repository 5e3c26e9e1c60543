#include "models/checkpoint/graph_walk.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include "core/error.h"

namespace lamina::models {

GraphWalk::GraphWalk(const nn::Graph& graph) : graph_(graph), readers_(graph.nodes.size()) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::size_t input : graph.nodes[i].inputs) {
      readers_[input].push_back(i);
    }
  }
}

GraphLayer GraphWalk::convolution_after(std::size_t node, const std::string& layer) const {
  std::vector<std::size_t> found;
  for (const std::size_t reader : readers_[node]) {
    const nn::Operation& operation = graph_.nodes[reader].operation;
    if (!std::holds_alternative<nn::AddNode>(operation)) {
      check(std::holds_alternative<nn::ConvolutionNode>(operation), layer, " is ",
            kind_of(operation), ", MobileNetV2 has a convolution");
      found.push_back(reader);
    }
  }
  check(found.size() == 1 && node != graph_.output, layer, " is ",
        found.empty() ? "not there" : "not alone", ", MobileNetV2 has one convolution");
  GraphLayer result{
      .convolution = std::get_if<nn::ConvolutionNode>(&graph_.nodes[found[0]].operation),
      .norm = nullptr,
      .bounds = {},
      .input = node,
      .output = found[0]};
  result.bounds = result.convolution->options.bounds;
  if (is_unbounded(result.bounds)) {
    if (const auto* norm = only_reader<nn::BatchNormNode>(result.output)) {
      result.norm = norm;
      result.bounds = norm->options.bounds;
      result.output = readers_[result.output][0];
    }
  }
  if (is_unbounded(result.bounds)) {
    if (const auto* clamp = only_reader<nn::ClampNode>(result.output)) {
      result.bounds = clamp->bounds;
      result.output = readers_[result.output][0];
    }
  }
  return result;
}

std::optional<std::size_t> GraphWalk::sum_of(std::size_t a, std::size_t b) const {
  const auto found = std::ranges::find_if(readers_[b], [&](std::size_t reader) {
    const nn::Node& node = graph_.nodes[reader];
    return std::holds_alternative<nn::AddNode>(node.operation) &&
           std::ranges::is_permutation(node.inputs, std::array{a, b});
  });
  return found == readers_[b].end() ? std::nullopt : std::optional(*found);
}

std::string kind_of(const nn::Operation& operation) {
  struct Names {
    const char* operator()(const nn::InputNode&) const { return "an input"; }
    const char* operator()(const nn::ConvolutionNode&) const { return "a convolution"; }
    const char* operator()(const nn::BatchNormNode&) const { return "a batch norm"; }
    const char* operator()(const nn::ClampNode&) const { return "a clamp"; }
    const char* operator()(const nn::AddNode&) const { return "an addition"; }
    const char* operator()(const nn::PoolNode&) const { return "a pool"; }
    const char* operator()(const nn::LinearNode&) const { return "a linear layer"; }
    const char* operator()(const nn::SoftmaxNode&) const { return "a softmax"; }
  };
  return std::visit(Names{}, operation);
}

bool is_unbounded(nn::Bounds bounds) { return std::isinf(bounds.lo) && std::isinf(bounds.hi); }

}  // namespace lamina::models
