#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {

Tensor clamp(const Tensor& x, Bounds bounds) {
  check_bounds("clamp", bounds);
  if (Recorder* recorder = Recorder::active()) {
    return recorder->record(ClampNode{bounds}, {&x}, x.shape());
  }
  const auto& kernels = active_kernels();
  Tensor y = Tensor::uninitialized(x.shape());
  parallel_blocks(x.size(), kTaskFloats, [&](std::size_t begin, std::size_t end) {
    kernels.clamp({.count = end - begin,
                   .x = x.data() + begin,
                   .y = y.data() + begin,
                   .lo = bounds.lo,
                   .hi = bounds.hi});
  });
  return y;
}

Tensor relu6(const Tensor& x) { return clamp(x, kRelu6Bounds); }

}  // namespace lamina::nn
