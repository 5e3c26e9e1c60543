#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "nn/module.h"
#include "nn/state.h"

namespace lamina::nn {

/// Which parameters weight decay pulls towards zero.
enum class DecayOn {
  all,      ///< every one, as PyTorch's optimizers do
  weights,  ///< those of rank 2 or more: not biases, not batch norm's gamma and beta
};

/// Moves parameters along their gradients. The parameters' modules must outlive it.
///
/// Options are doubles, as in PyTorch: what follows from them (as 1 - momentum) is computed in
/// double and rounded once to float32, in which the parameters are updated. Results have the same
/// bits for any number of threads.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates, in place, every parameter that has a gradient, and leaves the others and their state
  /// alone; each is read and written once. Throws Error, before any work, when a parameter has
  /// another shape than at first.
  void step();

  /// Takes the gradients off all parameters.
  void clear_gradients();

  double rate() const { return rate_; }
  /// Throws Error unless rate is at least 0 and finite.
  void set_rate(double rate);

  const std::vector<NamedTensor>& parameters() const { return parameters_; }

  /// What step() keeps from call to call, as "momentum.features.0.0.weight", and "steps.NAME", the
  /// number of updates of each parameter (at most 2^24): with the parameters themselves and the
  /// rate, all that an exact continuation needs. Handles share the optimizer's memory, but for the
  /// steps.
  StateDict state() const;

  /// Copies a state() of an optimizer of this type over the same names. Throws Error, before
  /// anything is copied, that lists every missing, extra and misshapen name.
  void load_state(const StateDict& state);

 protected:
  /// Options that every optimizer has.
  struct Common {
    double rate, weight_decay;
    DecayOn decay_on;
  };
  /// A tensor that is kept beside each parameter, and what its values are at first.
  struct Slot {
    std::string_view name;
    float initial = 0.0f;
  };
  /// A run of one parameter's values.
  struct Piece {
    std::size_t count;
    float* w;
    const float* dw;
    std::array<float*, 2> slots;
    double decay;        // of this parameter
    std::uint32_t step;  // of this parameter: 1 at its first update

    Piece part(std::size_t begin, std::size_t end) const;
  };

  /// `name` is the optimizer's in messages. Throws Error when the rate or the decay is negative or
  /// not finite, a parameter is a buffer or two have one name.
  Optimizer(std::string_view name, std::vector<NamedTensor> parameters, const Common& common,
            std::vector<Slot> slots);

  virtual void update(const Piece& piece) const = 0;

 private:
  void check_shapes() const;
  std::vector<Piece> pieces();

  std::string_view name_;
  std::vector<NamedTensor> parameters_;
  double rate_ = 0.0;
  double weight_decay_;
  DecayOn decay_on_;
  std::vector<Slot> slots_;
  std::vector<std::array<Tensor, 2>> kept_;  // of each parameter, for each slot
  std::vector<std::uint32_t> steps_;         // of each parameter
};

enum class MomentumForm { classic, nesterov };

struct SgdOptions {
  double rate;
  double momentum = 0.0;
  double dampening = 0.0;
  double weight_decay = 0.0;
  DecayOn decay_on = DecayOn::all;
  MomentumForm form = MomentumForm::classic;
};

/// Stochastic gradient descent, as PyTorch's:
///   g = dw + weight_decay w;  m = momentum m + (1 - dampening) g, m = g at first;
///   w -= rate m, in Nesterov's form w -= rate (g + momentum m).
class Sgd : public Optimizer {
 public:
  /// Throws Error as Optimizer does, unless momentum and dampening are at least 0 and below 1, and
  /// when Nesterov's form has no momentum or is dampened.
  Sgd(std::vector<NamedTensor> parameters, const SgdOptions& options);

 private:
  void update(const Piece& piece) const override;

  SgdOptions options_;
};

struct RmsPropOptions {
  double rate;
  double decay = 0.9;     ///< of the mean square, in TensorFlow also "rho"
  double momentum = 0.9;  ///< section 6.1 of the paper, like `decay`
  double epsilon = 1.0;   ///< TF-slim's, which the paper's rate of 0.045 goes with
  double weight_decay = 0.0;
  DecayOn decay_on = DecayOn::all;
};

/// RMSProp as TensorFlow computes it: epsilon inside of the root, the rate inside of the momentum,
/// and a mean square that starts at 1 (PyTorch differs in all three):
///   g = dw + weight_decay w;  s += (1 - decay) (g^2 - s);
///   m = momentum m + rate g / sqrt(s + epsilon);  w -= m.
class RmsProp : public Optimizer {
 public:
  /// Throws Error as Optimizer does, and unless decay and momentum are at least 0 and below 1 and
  /// epsilon is above 0.
  RmsProp(std::vector<NamedTensor> parameters, const RmsPropOptions& options);

 private:
  void update(const Piece& piece) const override;

  RmsPropOptions options_;
};

struct AdamWOptions {
  double rate = 1e-3;
  double beta1 = 0.9;    ///< of the mean
  double beta2 = 0.999;  ///< of the mean square
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  DecayOn decay_on = DecayOn::all;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), at the t-th update of w:
///   w -= rate weight_decay w;  m = beta1 m + (1 - beta1) dw;  s = beta2 s + (1 - beta2) dw^2;
///   w -= rate / (1 - beta1^t) m / (sqrt(s / (1 - beta2^t)) + epsilon).
class AdamW : public Optimizer {
 public:
  /// Throws Error as Optimizer does, and unless the betas are at least 0 and below 1 and epsilon is
  /// above 0.
  AdamW(std::vector<NamedTensor> parameters, const AdamWOptions& options);

 private:
  void update(const Piece& piece) const override;

  AdamWOptions options_;
};

}  // namespace lamina::nn
