#include "core/autograd.h"
#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/ops/gradients.h"
#include "nn/recorder.h"

namespace lamina::nn {

bool are_open(Bounds bounds) { return bounds.lo == Bounds{}.lo && bounds.hi == Bounds{}.hi; }

Tensor clamp_gradient(const Tensor& dy, const Tensor& y, Bounds bounds) {
  if (are_open(bounds)) {
    return dy;
  }
  const auto& kernels = active_kernels().gradients;
  Tensor dx = Tensor::uninitialized(dy.shape());
  float* to = dx.data();
  parallel_blocks(dy.size(), kTaskFloats, [&](std::size_t begin, std::size_t end) {
    kernels.clamp({.count = end - begin,
                   .x = y.data() + begin,
                   .dy = dy.data() + begin,
                   .dx = to + begin,
                   .lo = bounds.lo,
                   .hi = bounds.hi});
  });
  return dx;
}

Tensor clamp(const Tensor& x, Bounds bounds) {
  check_bounds("clamp", bounds);
  if (Recorder* recorder = Recorder::active()) {
    return recorder->record(ClampNode{bounds}, {&x}, x.shape());
  }
  const auto& kernels = active_kernels();
  Tensor y = Tensor::uninitialized(x.shape());
  float* to = y.data();
  parallel_blocks(x.size(), kTaskFloats, [&](std::size_t begin, std::size_t end) {
    kernels.clamp({.count = end - begin,
                   .x = x.data() + begin,
                   .y = to + begin,
                   .lo = bounds.lo,
                   .hi = bounds.hi});
  });
  return record("clamp", y, {&x}, [result = Saved(y), bounds](const Tensor& dy) {
    return std::vector<Tensor>{clamp_gradient(dy, result.get(), bounds)};
  });
}

Tensor relu(const Tensor& x) { return clamp(x, kReluBounds); }

Tensor relu6(const Tensor& x) { return clamp(x, kRelu6Bounds); }

}  // namespace lamina::nn
