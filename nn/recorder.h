#pragma once

#include <initializer_list>
#include <map>

#include "nn/graph.h"

namespace lamina::nn {

/// Takes down operations instead of running them, while one is installed on this thread.
class Recorder {
 public:
  explicit Recorder(const Shape& input);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// The recorder of this thread, or null: then an op computes.
  static Recorder* active();

  const Tensor& input() const { return input_; }

  /// Adds a node; the result stands for its tensor and has no values.
  Tensor record(Operation operation, std::initializer_list<const Tensor*> inputs,
                const Shape& shape);

  /// The graph that ends in `output`.
  Graph finish(const Tensor& output);

 private:
  std::size_t node_of(const Tensor& tensor) const;

  Graph graph_;
  std::map<const float*, std::size_t> nodes_;  // by the placeholder's address
  std::vector<Tensor> placeholders_;           // kept, so that no address comes twice
  Tensor input_;
};

}  // namespace lamina::nn
