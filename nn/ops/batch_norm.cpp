#include <cmath>

#include "nn/fold.h"
#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {
namespace {

void check_arguments(const Shape& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                     const Tensor& variance, const BatchNormOptions& options) {
  check(x.rank() >= 1, "batch_norm: input must have an axis of channels: got ", x);
  const std::size_t channels = x[x.rank() - 1];
  check_vector("batch_norm", "gamma", gamma, "input", x, channels);
  check_vector("batch_norm", "beta", beta, "input", x, channels);
  check_vector("batch_norm", "mean", mean, "input", x, channels);
  check_vector("batch_norm", "variance", variance, "input", x, channels);
  check(options.epsilon >= 0.0f && std::isfinite(options.epsilon),
        "batch_norm: epsilon must be finite and not negative: got ", options.epsilon);
  check_bounds("batch_norm", options.bounds);
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                  const Tensor& variance, const BatchNormOptions& options) {
  check_arguments(x.shape(), gamma, beta, mean, variance, options);
  if (Recorder* recorder = Recorder::active()) {
    return recorder->record(BatchNormNode{gamma, beta, mean, variance, options}, {&x}, x.shape());
  }
  const std::size_t channels = gamma.size();
  const Affine affine(gamma, beta, mean, variance, options.epsilon);
  const Tensor scale = to_tensor(affine.scale);
  const Tensor shift = to_tensor(affine.shift);
  Tensor y = Tensor::uninitialized(x.shape());
  if (y.empty()) {
    return y;
  }
  const auto& kernels = active_kernels();
  parallel_blocks(x.size() / channels, task_rows(channels),
                  [&](std::size_t begin, std::size_t end) {
                    kernels.scale_shift({.rows = end - begin,
                                         .channels = channels,
                                         .x = x.data() + begin * channels,
                                         .scale = scale.data(),
                                         .shift = shift.data(),
                                         .y = y.data() + begin * channels,
                                         .lo = options.bounds.lo,
                                         .hi = options.bounds.hi});
                  });
  return y;
}

}  // namespace lamina::nn
