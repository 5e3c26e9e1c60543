#include "core/autograd.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {
namespace {

// x / (1 - rate) where the draw for that value is at least `rate`, else 0. A stream can be entered
// anywhere, so that blocks draw at once and the gradient draws again instead of keeping a mask.
Tensor drop(const Tensor& x, float rate, const Rng& rng) {
  const float scale = 1.0f / (1.0f - rate);
  Tensor y = Tensor::uninitialized(x.shape());
  float* to = y.data();
  parallel_blocks(x.size(), kTaskFloats, [&](std::size_t begin, std::size_t end) {
    Rng draws = rng;
    draws.seek(rng.position() + begin);
    for (std::size_t i = begin; i < end; ++i) {
      to[i] = draws.uniform() >= rate ? x.data()[i] * scale : 0.0f;
    }
  });
  return y;
}

}  // namespace

Tensor dropout(const Tensor& x, float rate, Rng& rng) {
  check(rate >= 0.0f && rate < 1.0f, "dropout: rate must be at least 0 and below 1: got ", rate);
  check(Recorder::active() == nullptr,
        "dropout: a recorded network must be in evaluation: call eval() first");
  const Rng start = rng;
  rng.seek(start.position() + x.size());
  return record("dropout", drop(x, rate, start), {&x}, [rate, start](const Tensor& dy) {
    return std::vector<Tensor>{drop(dy, rate, start)};
  });
}

}  // namespace lamina::nn
