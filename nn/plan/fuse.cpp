#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "nn/fold.h"
#include "nn/plan/layers.h"

namespace lamina::nn {
namespace {

Bounds within(Bounds first, Bounds then) {
  return {std::clamp(first.lo, then.lo, then.hi), std::clamp(first.hi, then.lo, then.hi)};
}

bool is_unbounded(Bounds bounds) { return std::isinf(bounds.lo) && std::isinf(bounds.hi); }

class Fuser {
 public:
  explicit Fuser(const Graph& graph) : graph_(graph), readers_(graph.nodes.size(), 0) {
    for (const Node& node : graph.nodes) {
      for (const std::size_t input : node.inputs) {
        ++readers_[input];
      }
    }
    ++readers_[graph.output];
  }

  std::vector<FusedLayer> run() {
    values_[0] = 0;
    for (std::size_t i = 1; i < graph_.nodes.size(); ++i) {
      node_ = i;
      std::visit([this](const auto& operation) { add(operation); }, graph_.nodes[i].operation);
    }
    return std::move(layers_);
  }

 private:
  const Node& node() const { return graph_.nodes[node_]; }

  // The layer whose result is the node's input and is read by nothing else.
  FusedLayer* producer(std::size_t input) {
    const std::size_t value = values_.at(node().inputs[input]);
    return value > 0 && readers_[node().inputs[input]] == 1 ? &layers_[value - 1] : nullptr;
  }

  // The node's tensor is what the input's layer makes.
  void fused(std::size_t input) { values_[node_] = values_.at(node().inputs[input]); }

  FusedLayer& push(FusedLayer::Kind kind) {
    FusedLayer layer{.kind = kind,
                     .name = node().name,
                     .inputs = {},
                     .residual = {},
                     .in = graph_.nodes[node().inputs[0]].shape,
                     .out = node().shape,
                     .weight = {},
                     .bias = {},
                     .options = {},
                     .bounds = {}};
    for (const std::size_t input : node().inputs) {
      layer.inputs.push_back(values_.at(input));
    }
    layers_.push_back(std::move(layer));
    values_[node_] = layers_.size();
    return layers_.back();
  }

  void add(const InputNode&) {}

  void add(const ConvolutionNode& convolution) {
    FusedLayer& layer = push(FusedLayer::Kind::convolution);
    layer.weight = convolution.weight;
    layer.bias = convolution.bias;
    layer.options = convolution.options;
    layer.bounds = convolution.options.bounds;
  }

  void add(const LinearNode& linear) {
    FusedLayer& layer = push(FusedLayer::Kind::linear);
    layer.weight = linear.weight;
    layer.bias = linear.bias;
  }

  void add(const BatchNormNode& norm) {
    const Affine affine(norm.gamma, norm.beta, norm.mean, norm.variance, norm.options.epsilon);
    FusedLayer* before = producer(0);
    const bool folds = before != nullptr && before->kind == FusedLayer::Kind::convolution &&
                       is_unbounded(before->bounds) && !before->residual;
    if (folds) {
      FoldedWeights folded = fold(before->weight, before->bias, affine);
      before->weight = std::move(folded.weight);
      before->bias = std::move(folded.bias);
      before->bounds = norm.options.bounds;
      fused(0);
      return;
    }
    FusedLayer& layer = push(FusedLayer::Kind::scale_shift);
    layer.weight = to_tensor(affine.scale);
    layer.bias = to_tensor(affine.shift);
    layer.bounds = norm.options.bounds;
  }

  void add(const ClampNode& clamp) {
    FusedLayer* before = producer(0);
    const bool bounded = before != nullptr && !before->residual &&
                         before->kind != FusedLayer::Kind::pool &&
                         before->kind != FusedLayer::Kind::softmax;
    if (bounded) {
      before->bounds = within(before->bounds, clamp.bounds);
      fused(0);
      return;
    }
    push(FusedLayer::Kind::clamp).bounds = clamp.bounds;
  }

  // The later of two convolutions takes the earlier's result as its residual.
  void add(const AddNode&) {
    const std::size_t a = values_.at(node().inputs[0]);
    const std::size_t b = values_.at(node().inputs[1]);
    const std::size_t later = a > b ? 0 : 1;
    FusedLayer* before = a == b ? nullptr : producer(later);
    const bool product = before != nullptr && before->kind == FusedLayer::Kind::convolution &&
                         before->options.groups == 1 && !before->residual;
    if (product) {
      before->residual = std::min(a, b);
      fused(later);
      return;
    }
    push(FusedLayer::Kind::add);
  }

  void add(const PoolNode&) { push(FusedLayer::Kind::pool); }
  void add(const SoftmaxNode&) { push(FusedLayer::Kind::softmax); }

  const Graph& graph_;
  std::vector<std::size_t> readers_;
  std::map<std::size_t, std::size_t> values_;  // of each node
  std::vector<FusedLayer> layers_;
  std::size_t node_ = 0;
};

}  // namespace

std::vector<FusedLayer> fuse(const Graph& graph) {
  check(!graph.nodes.empty(), "compile: the graph has no nodes");
  check(graph.output + 1 == graph.nodes.size() && graph.output > 0,
        "compile: the graph's output must be its last node: it has ", graph.nodes.size(),
        " nodes, the output is ", graph.output);
  return Fuser(graph).run();
}

}  // namespace lamina::nn
