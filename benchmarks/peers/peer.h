#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/tensor.h"
#include "models/load.h"
#include "nn/graph.h"

/// What the C++ sides of the comparison share: Lamina's, and those of other libraries.
namespace lamina::benchmarks {

/// What to run: the network of a weights file, batch norm folded, for an input [N, H, H, 3].
struct Task {
  models::Classifier classifier;
  nn::Graph graph;  ///< of the classifier's network at the input's shape
  Tensor input;
  std::size_t threads;
};

/// A network made ready to run.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual void run() = 0;
};

/// A runner that reads task.input and writes `logits`; both outlive it. Throws Error.
using Build = std::unique_ptr<Runner> (*)(const Task& task, std::span<float> logits);

/// main() of a side, called as: PROGRAM WEIGHTS INPUT BATCH THREADS LOGITS. The input file holds a
/// batch of square images, channels last. Builds the runner, runs it once, writes the logits to
/// that file and answers "ready NAME"; then for each number on standard input runs it that often
/// and answers with the milliseconds of each run.
int serve(int argc, char** argv, const std::string& name, Build build);

}  // namespace lamina::benchmarks
