#include "nn/kernels.h"
#include "nn/ops/block_sums.h"
#include "nn/ops/conv2d.h"
#include "nn/ops/gemm.h"

namespace lamina::nn {
namespace {

// Rows of columns' matrix that one float32 sum runs over.
constexpr std::size_t kRun = 256;

// The extents of one group's product.
struct Extents {
  explicit Extents(const ConvolutionGradient& gradient)
      : in(gradient.in_channels() / gradient.groups),
        out(gradient.out_channels() / gradient.groups),
        k(gradient.window.kernel_h * gradient.window.kernel_w * in),
        pixels(gradient.window.out_h * gradient.window.out_w),
        in_floats(gradient.window.in_h * gradient.window.in_w * gradient.in_channels()) {}

  std::size_t in, out;    // channels of a group
  std::size_t k, pixels;  // columns, output pixels of an image
  std::size_t in_floats;  // of an image
};

// Adds to one image's and group's channels of dx.
void add_input_gradient(const ConvolutionGradient& gradient, const PackedWeights& weights,
                        std::size_t image, std::size_t group, float* dx) {
  const Extents e(gradient);
  const std::size_t out_channels = gradient.out_channels();
  const std::size_t run = std::min(kRun, e.pixels);
  Tensor columns = Tensor::uninitialized({run, e.k});
  for (std::size_t begin = 0; begin < e.pixels; begin += run) {
    const std::size_t rows = std::min(run, e.pixels - begin);
    const Product product{
        .m = rows,
        .a = gradient.dy.data() + (image * e.pixels + begin) * out_channels + group * e.out,
        .lda = out_channels,
        .c = columns.data(),
        .ldc = e.k};
    gradient.kernels.gemm(weights.block(product, group, 0, rows, 0, weights.panels()));
    gradient.kernels.gradients.col2im({.window = gradient.window,
                                       .channels = e.in,
                                       .pixel_begin = begin,
                                       .pixel_end = begin + rows,
                                       .columns = columns.data(),
                                       .x = dx + image * e.in_floats + group * e.in,
                                       .ldx = gradient.in_channels()});
  }
}

// Adds to one group's part of dw what output pixels [begin, end) of one image give.
void add_weight_gradient(const ConvolutionGradient& gradient, const Tensor& x, std::size_t image,
                         std::size_t begin, std::size_t group, float* dw) {
  const Extents e(gradient);
  const std::size_t out_channels = gradient.out_channels();
  const std::size_t rows = std::min(kRun, e.pixels - begin);
  Tensor columns = Tensor::uninitialized({rows, e.k});
  gradient.kernels.im2col({.window = gradient.window,
                           .channels = e.in,
                           .pixel_begin = begin,
                           .pixel_end = begin + rows,
                           .x = x.data() + image * e.in_floats + group * e.in,
                           .ldx = gradient.in_channels(),
                           .columns = columns.data()});
  gradient.kernels.gradients.gemm_tn(
      {.m = e.out,
       .n = e.k,
       .k = rows,
       .a = gradient.dy.data() + (image * e.pixels + begin) * out_channels + group * e.out,
       .lda = out_channels,
       .b = columns.data(),
       .ldb = e.k,
       .c = dw + group * e.out * e.k,
       .ldc = e.k});
}

}  // namespace

// Runs of pixels share the input pixels under their windows: one task for an image and a group.
Tensor im2col_input_gradient(const ConvolutionGradient& gradient, const Tensor& w) {
  const Extents e(gradient);
  const std::size_t groups = gradient.groups;
  const PackedWeights weights(gradient.kernels, {.values = w.data(),
                                                 .n = e.k,
                                                 .k = e.out,
                                                 .count = groups,
                                                 .orientation = Orientation::by_input});
  Tensor dx = Tensor::uninitialized(gradient.x);
  fill_zero(dx);
  float* to = dx.data();
  parallel_for(gradient.images() * groups, [&](std::size_t task) {
    add_input_gradient(gradient, weights, task / groups, task % groups, to);
  });
  return dx;
}

Tensor im2col_weight_gradient(const ConvolutionGradient& gradient, const Tensor& x) {
  const Extents e(gradient);
  const std::size_t runs = divide_up(e.pixels, kRun);
  Tensor dw = Tensor::uninitialized(gradient.w);
  sum_in_blocks(gradient.images() * runs, gradient.groups, dw,
                [&](std::size_t run, std::size_t group, float* sum) {
                  add_weight_gradient(gradient, x, run / runs, run % runs * kRun, group, sum);
                });
  return dw;
}

}  // namespace lamina::nn
