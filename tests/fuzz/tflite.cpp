#include "models/checkpoint/tflite.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "models/checkpoint/recognize.h"
#include "nn/plan.h"
#include "tests/fuzz/target.h"

namespace lamina::fuzz {
namespace {

// Constants become float32, 8 times their bytes at most, and one of their turned copies lives
// beside them; a node takes about as much as its tables.
constexpr std::size_t kTimes = 64;
constexpr std::size_t kFree = std::size_t{1} << 19;
constexpr std::size_t kSmall = 1 << 16;

std::size_t largest(const nn::Graph& graph) {
  std::size_t most = 0;
  for (const nn::Node& node : graph.nodes) {
    most = std::max(most, node.shape.size());
  }
  return most;
}

nn::Graph parse(Input file) {
  models::GraphFile network = models::parse_tflite(file, "fuzz");
  const nn::Graph& graph = network.graph;
  promise(graph.output + 1 == graph.nodes.size(), "the output is the last node");
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::size_t input : graph.nodes[i].inputs) {
      promise(input < i, "nodes in an order in which they can run");
    }
  }
  return std::move(network.graph);
}

void use(const nn::Graph& graph) {
  models::recognize(graph);
  if (largest(graph) <= kSmall) {
    nn::compile(graph);
  }
}

}  // namespace
}  // namespace lamina::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina;
  nn::Graph graph;
  fuzz::attempt(fuzz::kTimes * size + fuzz::kFree, [&] { graph = fuzz::parse({data, size}); });
  return graph.nodes.empty()
             ? 0
             : fuzz::attempt(std::numeric_limits<std::size_t>::max(), [&] { fuzz::use(graph); });
}
