#pragma once

#include <cstdint>
#include <vector>

#include "nn/module.h"
#include "nn/state.h"

namespace lamina::nn {

/// What becomes of batch norm's statistics, which are averages themselves.
enum class EmaBuffers { copy, average };

struct EmaOptions {
  double decay = 0.9999;
  double warmup = 0.0;  ///< 0: none; TensorFlow's: 10
  EmaBuffers buffers = EmaBuffers::copy;
};

/// The exponential moving average of a module's weights, which often classifies better than the
/// weights. At update n = 0, 1, ...:
///   average = d average + (1 - d) weights,  d = min(decay, (1 + n) / (warmup + n)).
/// The module must outlive it, and keep its tensors' names and shapes.
class Ema {
 public:
  /// Starts as a copy of the module's tensors. Throws Error unless 0 <= decay < 1 and the warm-up
  /// is 0 or at least 1.
  Ema(Module& module, const EmaOptions& options);

  /// Takes the module's weights in: once after each step of the optimizer.
  void update();

  /// Exchanges the values of module and average: evaluate, then swap again before training on.
  void swap();

  /// Copies the average into a module with the same names and shapes, else throws Error.
  void copy_to(Module& other) const;

  /// The average by the module's names; the handles share its memory.
  const StateDict& weights() const { return average_; }

  /// How often update() was called, at most 2^24.
  std::uint32_t updates() const { return updates_; }

  /// All that an exact continuation needs: "updates" and, as "average.features.0.0.weight", the
  /// average, whose memory the handles share.
  StateDict state() const;

  /// Copies a state() in. Throws Error, before anything is copied, that lists every missing, extra
  /// and misshapen name.
  void load_state(const StateDict& state);

 private:
  double decay() const;

  std::vector<NamedTensor> tensors_;
  EmaOptions options_;
  StateDict average_;
  std::uint32_t updates_ = 0;
};

}  // namespace lamina::nn
