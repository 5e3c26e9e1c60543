#pragma once

#include "core/tensor.h"
#include "nn/ops.h"

/// Inside nn only: what several ops' gradients need.
namespace lamina::nn {

/// True when the bounds change no value.
bool are_open(Bounds bounds);

/// `tensor` if `is_needed`, else an empty one: what a closure need not keep.
inline Tensor kept_if(bool is_needed, const Tensor& tensor) {
  return is_needed ? tensor : Tensor();
}

/// dy where y, clamped to the bounds, is strictly inside of them, else 0. dy itself where they are
/// open.
Tensor clamp_gradient(const Tensor& dy, const Tensor& y, Bounds bounds);

}  // namespace lamina::nn
