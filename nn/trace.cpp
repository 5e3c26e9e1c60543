#include "core/error.h"
#include "nn/recorder.h"

namespace lamina::nn {
namespace {

thread_local Recorder* active_recorder = nullptr;

// "features.0.0.weight" names the operation "features.0.0".
std::string without_last_part(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(0, dot);
}

struct DefaultName {
  std::string operator()(const InputNode&) const { return "input"; }
  std::string operator()(const ConvolutionNode&) const { return "convolution"; }
  std::string operator()(const BatchNormNode&) const { return "batch_norm"; }
  std::string operator()(const ClampNode&) const { return "clamp"; }
  std::string operator()(const AddNode&) const { return "add"; }
  std::string operator()(const PoolNode&) const { return "pool"; }
  std::string operator()(const LinearNode&) const { return "linear"; }
  std::string operator()(const SoftmaxNode&) const { return "softmax"; }
};

const float* weight_of(const Operation& operation) {
  if (const auto* convolution = std::get_if<ConvolutionNode>(&operation)) {
    return convolution->weight.data();
  }
  if (const auto* linear = std::get_if<LinearNode>(&operation)) {
    return linear->weight.data();
  }
  const auto* norm = std::get_if<BatchNormNode>(&operation);
  return norm == nullptr ? nullptr : norm->gamma.data();
}

}  // namespace

Recorder::Recorder(const Shape& input) : input_(Tensor::placeholder(input)) {
  check(active_recorder == nullptr, "trace: a forward pass is already being recorded");
  graph_.nodes.push_back({.name = "input", .operation = InputNode{}, .inputs = {}, .shape = input});
  nodes_[input_.data()] = 0;
  active_recorder = this;
}

Recorder::~Recorder() { active_recorder = nullptr; }

Recorder* Recorder::active() { return active_recorder; }

std::size_t Recorder::node_of(const Tensor& tensor) const {
  const auto found = nodes_.find(tensor.data());
  check(found != nodes_.end(), "trace: an operation takes a tensor ", tensor.shape(),
        " that was not made from the input");
  return found->second;
}

Tensor Recorder::record(Operation operation, std::initializer_list<const Tensor*> inputs,
                        const Shape& shape) {
  Node node{.name = std::visit(DefaultName{}, operation),
            .operation = std::move(operation),
            .inputs = {},
            .shape = shape};
  for (const Tensor* input : inputs) {
    node.inputs.push_back(node_of(*input));
  }
  Tensor result = Tensor::placeholder(shape);
  nodes_[result.data()] = graph_.nodes.size();
  graph_.nodes.push_back(std::move(node));
  placeholders_.push_back(result);
  return result;
}

Graph Recorder::finish(const Tensor& output) {
  graph_.output = node_of(output);
  return std::move(graph_);
}

Graph trace(Module& module, const Shape& input) {
  for_each_module(module, [](const std::string&, Module& part) {
    check(!part.is_training(), "trace: the module must be in evaluation: call eval() first");
  });
  Recorder recorder(input);
  const Tensor output = module.forward(recorder.input());
  Graph graph = recorder.finish(output);
  std::map<const float*, std::string> names;
  for (const NamedTensor& tensor : named_tensors(module)) {
    names[tensor.value->data()] = without_last_part(tensor.name);
  }
  for (Node& node : graph.nodes) {
    const float* weight = weight_of(node.operation);
    const auto found = names.find(weight);
    if (weight != nullptr && found != names.end()) {
      node.name = found->second;
    }
  }
  return graph;
}

}  // namespace lamina::nn
