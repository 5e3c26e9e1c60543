#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {

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
  return y;
}

}  // namespace lamina::nn
