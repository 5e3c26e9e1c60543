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

void add(LayerGroup& group, const Tensor& weight, const Tensor& bias, const Shape& result) {
  const std::size_t inputs = weight.size() / weight.shape()[0];
  group.operations += 2.0 * static_cast<double>(inputs * result.size());
  group.weight_bytes += static_cast<double>((weight.size() + bias.size()) * sizeof(float));
}

void add(LayerGroup& group, const nn::Graph& graph, std::size_t index) {
  const nn::Node& node = graph.nodes[index];
  group.last = index;
  if (const auto* convolution = std::get_if<nn::ConvolutionNode>(&node.operation)) {
    add(group, convolution->weight, convolution->bias, node.shape);
  } else if (const auto* linear = std::get_if<nn::LinearNode>(&node.operation)) {
    add(group, linear->weight, linear->bias, node.shape);
  }
}

// "features.3" of "features.3.conv.1.0", "classifier" of "classifier.1".
std::string block_of(const nn::Node& node) {
  if (node.name.starts_with("classifier") || std::holds_alternative<nn::PoolNode>(node.operation)) {
    return "classifier";
  }
  const std::string name = node.name.substr(0, node.name.find('.', node.name.find('.') + 1));
  return name == "features.0" || name == "features.1" ? "features.0-1" : name;
}

}  // namespace

std::vector<LayerGroup> layer_groups(const nn::Graph& graph) {
  std::vector<LayerGroup> groups{{.name = "stem"},    {.name = "expand"},   {.name = "depthwise"},
                                 {.name = "project"}, {.name = "last 1x1"}, {.name = "classifier"}};
  const auto named = [&](std::string_view name) -> LayerGroup& {
    return *std::ranges::find(groups, name, &LayerGroup::name);
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const nn::Operation& operation = graph.nodes[i].operation;
    if (std::holds_alternative<nn::ConvolutionNode>(operation)) {
      add(named(group_of(graph, i)), graph, i);
    } else if (std::holds_alternative<nn::LinearNode>(operation)) {
      add(named("classifier"), graph, i);
    }
  }
  return groups;
}

std::vector<LayerGroup> blocks(const nn::Graph& graph) {
  std::vector<LayerGroup> result;
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    const bool continues = std::holds_alternative<nn::AddNode>(graph.nodes[i].operation);
    const std::string name = continues ? result.back().name : block_of(graph.nodes[i]);
    if (result.empty() || result.back().name != name) {
      result.push_back({.name = name});
    }
    add(result.back(), graph, i);
  }
  return result;
}

double ideal_seconds(const LayerGroup& group, double fma, double l3) {
  const double arithmetic = group.operations / fma;
  return group.name == "classifier" ? std::max(arithmetic, group.weight_bytes / l3) : arithmetic;
}

double ideal_seconds(const std::vector<LayerGroup>& groups, double fma, double l3) {
  double sum = 0.0;
  for (const LayerGroup& group : groups) {
    sum += ideal_seconds(group, fma, l3);
  }
  return sum;
}

}  // namespace lamina::benchmarks
