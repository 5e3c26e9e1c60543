#include "benchmarks/layer_groups.h"

#include <algorithm>
#include <string_view>

namespace lamina::benchmarks {
namespace {

bool feeds_pool(const nn::Graph& graph, std::size_t index) {
  return std::ranges::any_of(graph.nodes, [&](const nn::Node& node) {
    return std::holds_alternative<nn::PoolNode>(node.operation) && node.inputs.front() == index;
  });
}

std::string_view group_of(const nn::Graph& graph, std::size_t index) {
  const auto& convolution = std::get<nn::ConvolutionNode>(graph.nodes[index].operation);
  if (graph.nodes[index].inputs.front() == 0) {
    return "stem";
  }
  if (convolution.options.groups > 1) {
    return "depthwise";
  }
  if (feeds_pool(graph, index)) {
    return "last 1x1";
  }
  const bool is_linear = convolution.options.bounds.hi == nn::Bounds{}.hi;
  return is_linear ? "project" : "expand";
}

void add(LayerGroup& group, const Tensor& weight, const Tensor& bias, std::size_t results) {
  const std::size_t inputs = weight.size() / weight.shape()[0];
  group.operations += 2.0 * static_cast<double>(inputs * results);
  group.weight_bytes += static_cast<double>((weight.size() + bias.size()) * sizeof(float));
}

}  // namespace

std::vector<LayerGroup> layer_groups(const nn::Graph& graph) {
  std::vector<LayerGroup> groups{{"stem"},    {"expand"},   {"depthwise"},
                                 {"project"}, {"last 1x1"}, {"classifier"}};
  const auto named = [&](std::string_view name) -> LayerGroup& {
    return *std::ranges::find(groups, name, &LayerGroup::name);
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const nn::Node& node = graph.nodes[i];
    if (const auto* convolution = std::get_if<nn::ConvolutionNode>(&node.operation)) {
      add(named(group_of(graph, i)), convolution->weight, convolution->bias, node.shape.size());
    } else if (const auto* linear = std::get_if<nn::LinearNode>(&node.operation)) {
      add(named("classifier"), linear->weight, linear->bias, node.shape.size());
    }
  }
  return groups;
}

}  // namespace lamina::benchmarks
