#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/checkpoint/archive.h"
#include "models/metadata.h"
#include "models/mobilenet_v2.h"
#include "nn/graph.h"

namespace lamina::models {

/// A MobileNetV2 found in a Graph.
struct Recognized {
  /// Width, multiple and last channels from the channel counts, padding from the convolutions with
  /// stride 2, epsilon from batch norm where there is one.
  MobileNetV2Options options;
  NormState norm = NormState::folded;  ///< whether the tensors include batch norm's
  nn::Bounds activation;               ///< kRelu6Bounds, or kReluBounds: not what MobileNetV2 runs
  bool ends_with_softmax = false;      ///< the graph gives probabilities, the network logits
  /// Torchvision's names and layout [O, I, KH, KW], as load() expects; metadata for
  /// read_classifier(). The values share the graph's memory where the layout allows.
  Checkpoint checkpoint;
  std::vector<std::string> assumptions;  ///< what the graph leaves open, a sentence each
};

struct Recognition {
  std::optional<Recognized> network;
  /// Empty, or the first thing that no MobileNetV2 has, without a full stop: "features.3.conv.1.0
  /// has stride 1, MobileNetV2 has 2".
  std::string difference;
};

/// Tells whether a graph, traced or read from a file, computes what a MobileNetV2 does: from its
/// operations, shapes and constants alone, whatever their names. Batch norm may be folded or
/// separate, a softmax may follow.
Recognition recognize(const nn::Graph& graph);

}  // namespace lamina::models
