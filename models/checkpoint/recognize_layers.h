#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "models/checkpoint/graph_walk.h"
#include "models/checkpoint/names.h"
#include "models/checkpoint/recognize.h"

/// Inside models only: the layers that recognize() finds.
namespace lamina::models {

/// What MobileNetV2 has at a place; absent: anything, for strides 1 or 2.
struct ExpectedLayer {
  std::size_t kernel = 1;
  std::optional<std::size_t> stride = 1;
  std::optional<std::size_t> channels = {};
  bool has_activation = true;
  bool is_depthwise = false;
};

/// Takes a network's convolutions in order, checks each and keeps its tensors under our names.
/// Throws Error with what MobileNetV2 has not.
class LayerReader {
 public:
  LayerReader(const GraphWalk& walk, Recognized& result);

  /// The convolution that takes that node's tensor.
  GraphLayer next(std::size_t node, const ExpectedLayer& expected);

  /// The modes that all paddings so far agree with.
  bool may_be_symmetric() const { return may_be_symmetric_; }
  bool may_be_same() const { return may_be_same_; }

 private:
  void check_window(const GraphLayer& layer, const ExpectedLayer& expected,
                    const std::string& name) const;
  void check_padding(const GraphLayer& layer, const std::string& name);
  void check_activation(nn::Bounds bounds, const std::string& name);
  void store(const GraphLayer& layer, const LayerNames& names);
  void store_norm(const GraphLayer& layer, const std::string& name);
  bool is_first() const { return layer_ == 1; }

  const GraphWalk& walk_;
  Recognized& result_;
  std::vector<LayerNames> names_;
  std::size_t layer_ = 0;  // how many were taken
  bool may_be_symmetric_ = true;
  bool may_be_same_ = true;
};

}  // namespace lamina::models
