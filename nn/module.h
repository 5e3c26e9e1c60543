#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace lamina::nn {

class Module;

/// How a module names what it consists of, once: parameters, buffers and other modules.
class Members {
 public:
  virtual ~Members() = default;
  /// A trained tensor.
  virtual void parameter(std::string_view name, Tensor& value) = 0;
  /// A tensor that is saved but not trained, as batch norm's statistics.
  virtual void buffer(std::string_view name, Tensor& value) = 0;
  /// A part. Its members are called "name.member"; an empty name adds no prefix.
  virtual void module(std::string_view name, Module& part) = 0;
};

/// A part of a network: tensors, parts and a forward pass. It starts in evaluation, where nothing
/// is tracked; train() makes it differentiable.
class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;  // a copy would share its tensors
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  virtual Tensor forward(const Tensor& x) const = 0;
  Tensor operator()(const Tensor& x) const { return forward(x); }

  /// Names every member to `visit`.
  virtual void members(Members& visit) = 0;

  /// Tracks the parameters of this and its parts, and lets batch norm use and learn the statistics
  /// of its batch and dropout drop; what is frozen stays as in evaluation.
  void train();
  /// Evaluation: nothing tracked, statistics as learnt, nothing dropped.
  void eval();
  bool is_training() const { return is_training_; }

  /// Keeps this and its parts in evaluation, whatever train() says, until unfreeze().
  void freeze();
  void unfreeze();
  bool is_frozen() const { return is_frozen_; }

 private:
  void set_training(bool on);

  bool is_training_ = false;
  bool is_frozen_ = false;
};

enum class TensorKind { parameter, buffer };

/// A tensor inside a module, by its whole name, as "features.0.1.running_mean".
struct NamedTensor {
  std::string name;
  TensorKind kind;
  Tensor* value;
};

/// Every tensor of `module` and its parts, in the order in which they are named.
std::vector<NamedTensor> named_tensors(Module& module);

/// The parameters among them, frozen or not.
std::vector<NamedTensor> parameters(Module& module);

/// Calls `visit` with the module itself and then each part, depth first, with its whole name.
void for_each_module(Module& module,
                     const std::function<void(const std::string& name, Module&)>& visit);

}  // namespace lamina::nn
