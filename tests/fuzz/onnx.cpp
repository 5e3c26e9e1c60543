#include "models/checkpoint/onnx.h"

#include "models/checkpoint/limits.h"
#include "nn/plan.h"
#include "tests/fuzz/target.h"

namespace lamina::fuzz {
namespace {

using models::limits::kGrowth;
using models::limits::kOnnxFree;
using models::limits::kOnnxGrowth;

// Parsed once and as constants, which are turned around on the way.
constexpr std::size_t kTimes = kOnnxGrowth + 2 * kGrowth;
constexpr std::size_t kFree = 3 * kOnnxFree;

// Activations are as large as the file says, whatever its size: larger ones are left alone.
constexpr std::size_t kMostValues = 10000;
constexpr std::size_t kMostNodes = 100;

void check_node(const nn::Graph& graph, std::size_t i) {
  const nn::Node& node = graph.nodes[i];
  promise(node.shape.size() > 0 && node.shape.size() <= models::limits::kGraphValues,
          "values below the cap");
  for (const std::size_t input : node.inputs) {
    promise(input < i, "inputs that are made before");
  }
}

void parse(Input file) {
  const models::GraphFile model = models::parse_onnx(file, "fuzz");
  const nn::Graph& graph = model.graph;
  promise(graph.nodes.size() > 1 && graph.output + 1 == graph.nodes.size(), "an output at the end");
  bool is_small = graph.nodes.size() <= kMostNodes;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    check_node(graph, i);
    is_small = is_small && graph.nodes[i].shape.size() <= kMostValues;
  }
  if (is_small) {
    const nn::Plan plan = nn::compile(graph);
    plan(Tensor::zeros(plan.input_shape()));
  }
}

}  // namespace
}  // namespace lamina::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina::fuzz;
  const Input input(data, size);
  return attempt(kTimes * size + kFree, [&] { parse(input); });
}
