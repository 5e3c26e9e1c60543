#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {

Tensor softmax(const Tensor& x) {
  const Shape& shape = x.shape();
  check(shape.rank() >= 1, "softmax: input must have an axis: got ", shape);
  if (Recorder* recorder = Recorder::active()) {
    return recorder->record(SoftmaxNode{}, {&x}, shape);
  }
  Tensor y = Tensor::uninitialized(shape);
  if (y.empty()) {
    return y;
  }
  const auto& kernels = active_kernels();
  const std::size_t n = shape[shape.rank() - 1];
  parallel_blocks(x.size() / n, task_rows(n), [&](std::size_t begin, std::size_t end) {
    kernels.softmax(
        {.rows = end - begin, .n = n, .x = x.data() + begin * n, .y = y.data() + begin * n});
  });
  return y;
}

}  // namespace lamina::nn
