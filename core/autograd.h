#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/tensor.h"

/// Reverse-mode differentiation. An op computes its value and hands it to record() with a closure
/// that turns the gradient of its result into those of its inputs; what the closure captures is the
/// op's memory bill. Tensor::backward() runs the closures, the last first, and frees each one.
namespace lamina {

/// While one lives, this thread records nothing: ops return untracked tensors and save nothing.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool outer_;
};

/// True when this thread records and one of the tensors is tracked: the op must save what its
/// gradient needs.
bool needs_gradient(std::span<const Tensor* const> inputs);
inline bool needs_gradient(std::initializer_list<const Tensor*> inputs) {
  return needs_gradient(std::span(inputs.begin(), inputs.size()));
}

/// From the gradient of an op's result to those of its inputs, in their order; an empty tensor for
/// an input that is not tracked.
using Backward = std::function<std::vector<Tensor>(const Tensor& dy)>;

/// `y` as the result of `op` (a string that outlives it) on `inputs`: tracked when
/// needs_gradient(inputs), else as it came. The closure may capture inputs, but of the result only
/// the untracked `y`, so that no op can hold itself alive.
Tensor record(const char* op, const Tensor& y, std::span<const Tensor* const> inputs,
              Backward backward);
inline Tensor record(const char* op, const Tensor& y, std::initializer_list<const Tensor*> inputs,
                     Backward backward) {
  return record(op, y, std::span(inputs.begin(), inputs.size()), std::move(backward));
}

/// A tensor that a closure keeps for the backward pass, which refuses to use it when its values
/// were changed since.
class Saved {
 public:
  explicit Saved(const Tensor& tensor)
      : tensor_(tensor.detached()), changes_(tensor.changes()), is_tracked_(tensor.is_tracked()) {}

  /// The values, untracked. Throws Error when they were changed in place since.
  const Tensor& get() const;
  const Tensor* operator->() const { return &get(); }

  /// True when the tensor wants a gradient.
  bool is_tracked() const { return is_tracked_; }

 private:
  Tensor tensor_;
  std::uint64_t changes_;
  bool is_tracked_;
};

namespace detail {

/// One op that was run, or a leaf: a tensor that track() was called on.
struct GradientNode {
  const char* op = nullptr;  // null: a leaf
  std::uint64_t order = 0;   // larger than its inputs'
  std::vector<std::shared_ptr<GradientNode>> inputs;
  Backward backward;
  Shape shape;
  Tensor gradient;
  bool was_used = false;

  ~GradientNode();  // without recursion, however long the chain
};

}  // namespace detail
}  // namespace lamina
