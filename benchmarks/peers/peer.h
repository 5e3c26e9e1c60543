#pragma once

#include <cstddef>
#include <functional>
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

/// What serve() is made of. A batch of square images, channels last, from a file of floats; throws
/// Error unless the file holds just that.
Tensor read_images(const std::string& path, std::size_t batch);
/// Throws Error when the file cannot be written.
void write_values(const std::string& path, std::span<const float> values);
/// For each number on standard input calls `run` that often and answers with the milliseconds.
void answer_requests(const std::function<void()>& run);

}  // namespace lamina::benchmarks
