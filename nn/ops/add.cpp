#include "core/autograd.h"
#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {

Tensor add(const Tensor& a, const Tensor& b) {
  check(a.shape() == b.shape(), "add: shapes must be the same: a is ", a.shape(), ", b is ",
        b.shape());
  if (Recorder* recorder = Recorder::active()) {
    return recorder->record(AddNode{}, {&a, &b}, a.shape());
  }
  const auto& kernels = active_kernels();
  const Bounds bounds;
  Tensor y = Tensor::uninitialized(a.shape());
  parallel_blocks(y.size(), kTaskFloats, [&](std::size_t begin, std::size_t end) {
    kernels.add({.count = end - begin,
                 .a = a.data() + begin,
                 .b = b.data() + begin,
                 .y = y.data() + begin,
                 .lo = bounds.lo,
                 .hi = bounds.hi});
  });
  return record("add", y, {&a, &b}, [](const Tensor& dy) { return std::vector<Tensor>{dy, dy}; });
}

}  // namespace lamina::nn
