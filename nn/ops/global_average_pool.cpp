#include <algorithm>

#include "core/autograd.h"
#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {
namespace {

// Every pixel gets its share: dx[n, h, w, c] = dy[n, c] / pixels.
Tensor spread(const Tensor& dy, const Shape& shape) {
  const std::size_t pixels = shape[1] * shape[2];
  const std::size_t channels = shape[3];
  const auto count = static_cast<float>(pixels);
  Tensor dx = Tensor::uninitialized(shape);
  float* to = dx.data();
  const std::size_t rows = task_rows(channels);
  const std::size_t blocks = divide_up(pixels, rows);
  parallel_for(shape[0] * blocks, [&](std::size_t task) {
    const std::size_t image = task / blocks;
    const std::size_t begin = task % blocks * rows;
    const std::size_t end = std::min(pixels, begin + rows);
    const float* from = dy.data() + image * channels;
    float* first = to + (image * pixels + begin) * channels;
    std::transform(from, from + channels, first, [&](float value) { return value / count; });
    for (std::size_t pixel = 1; pixel < end - begin; ++pixel) {
      std::copy_n(first, channels, first + pixel * channels);
    }
  });
  return dx;
}

}  // namespace

Tensor global_average_pool(const Tensor& x) {
  const Shape& shape = x.shape();
  check(shape.rank() == 4, "global_average_pool: input must be [N, H, W, C]: got ", shape);
  const std::size_t pixels = shape[1] * shape[2];
  const std::size_t channels = shape[3];
  check(pixels > 0, "global_average_pool: image must have a pixel: input ", shape, " has ",
        shape[1], " x ", shape[2]);
  if (Recorder* recorder = Recorder::active()) {
    return recorder->record(PoolNode{}, {&x}, {shape[0], channels});
  }
  const auto& kernels = active_kernels();
  Tensor y = Tensor::uninitialized({shape[0], channels});
  const std::size_t width = task_rows(pixels);
  const std::size_t blocks = divide_up(channels, width);
  parallel_for(shape[0] * blocks, [&](std::size_t task) {
    const std::size_t image = task / blocks;
    const std::size_t begin = task % blocks * width;
    kernels.mean_rows({.rows = pixels,
                       .channels = std::min(width, channels - begin),
                       .x = x.data() + image * pixels * channels + begin,
                       .ldx = channels,
                       .y = y.data() + image * channels + begin});
  });
  return record("global_average_pool", y, {&x},
                [shape](const Tensor& dy) { return std::vector<Tensor>{spread(dy, shape)}; });
}

}  // namespace lamina::nn
