#pragma once

#include <string>
#include <vector>

#include "nn/graph.h"

namespace lamina::benchmarks {

/// Layers of one kind, taken together.
struct LayerGroup {
  std::string name;
  double operations = 0.0;    ///< two a multiply-add
  double weight_bytes = 0.0;  ///< of weights and biases
};

/// The convolutions and the classifier of a traced MobileNetV2, by what they do: "stem", "expand",
/// "depthwise", "project", "last 1x1", "classifier".
std::vector<LayerGroup> layer_groups(const nn::Graph& graph);

}  // namespace lamina::benchmarks
