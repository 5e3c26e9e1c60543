#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "nn/graph.h"

namespace lamina::benchmarks {

/// Layers taken together.
struct LayerGroup {
  std::string name;
  std::size_t last = 0;       ///< the index of its last node
  double operations = 0.0;    ///< two a multiply-add
  double weight_bytes = 0.0;  ///< of weights and biases
};

/// The convolutions and the classifier of a traced MobileNetV2, by what they do: "stem", "expand",
/// "depthwise", "project", "last 1x1", "classifier".
std::vector<LayerGroup> layer_groups(const nn::Graph& graph);

/// The nodes of a traced MobileNetV2 in their order, by what they belong to: "features.0-1",
/// which a plan runs as one, "features.2" to "features.18", "classifier" with the pool.
std::vector<LayerGroup> blocks(const nn::Graph& graph);

/// The least time for a group: its operations at `fma` a second. A layer that uses each weight
/// once, the classifier of one image, waits for them instead, at `l3` bytes a second; the others
/// hide that behind arithmetic.
double ideal_seconds(const LayerGroup& group, double fma, double l3);

/// The sum over all groups.
double ideal_seconds(const std::vector<LayerGroup>& groups, double fma, double l3);

}  // namespace lamina::benchmarks
