#include "core/autograd.h"
#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {
namespace {

// dx = y (dy - sum_j dy_j y_j) along the last axis.
Tensor softmax_gradient(const Tensor& dy, const Tensor& y) {
  const Shape& shape = y.shape();
  const std::size_t n = shape[shape.rank() - 1];
  Tensor dx = Tensor::uninitialized(shape);
  float* to = dx.data();
  parallel_blocks(y.size() / n, task_rows(n), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      const float* p = y.data() + row * n;
      const float* g = dy.data() + row * n;
      double sum = 0.0;
      for (std::size_t j = 0; j < n; ++j) {
        sum += double{g[j]} * double{p[j]};
      }
      for (std::size_t j = 0; j < n; ++j) {
        to[row * n + j] = static_cast<float>(double{p[j]} * (double{g[j]} - sum));
      }
    }
  });
  return dx;
}

}  // namespace

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
  return record("softmax", y, {&x}, [result = Saved(y)](const Tensor& dy) {
    return std::vector<Tensor>{softmax_gradient(dy, result.get())};
  });
}

}  // namespace lamina::nn
