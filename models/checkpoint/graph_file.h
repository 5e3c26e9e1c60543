#pragma once

#include <map>
#include <string>
#include <vector>

#include "nn/graph.h"

namespace lamina::models {

/// A network that a file holds as operations, not as a state dict: ONNX or TFLite. Images are
/// [N, H, W, C] and weights [O, KH, KW, I] whatever the file's layout, constants are folded and
/// quantized numbers made float32.
struct GraphFile {
  std::string container;  ///< for people: "ONNX (opset 13)", "TFLite (schema 3)"
  nn::Graph graph;
  std::map<std::string, std::string> metadata;
  std::vector<std::string> remarks;  ///< what was left out, assumed or simplified, a sentence each
};

}  // namespace lamina::models
