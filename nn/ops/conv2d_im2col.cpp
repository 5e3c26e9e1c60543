#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/conv2d.h"
#include "nn/ops/gemm.h"

namespace lamina::nn {
namespace {

// One task: some output pixels of one image and one group.
struct Block {
  std::size_t image, group, begin, end;
};

class Im2colProduct {
 public:
  Im2colProduct(const Convolution& convolution, Tensor& y)
      : convolution_(convolution),
        y_(y),
        in_(convolution.in_channels() / convolution.groups),
        out_(convolution.out_channels() / convolution.groups),
        k_(convolution.window.kernel_h * convolution.window.kernel_w * in_),
        pixels_(convolution.window.out_h * convolution.window.out_w),
        weights_(
            convolution.kernels,
            {.values = convolution.w.data(), .n = out_, .k = k_, .count = convolution.groups}) {}

  void run() const {
    const std::size_t rows = task_rows(k_);
    const std::size_t blocks = divide_up(pixels_, rows);
    const std::size_t groups = convolution_.groups;
    parallel_for(convolution_.images() * groups * blocks, [&](std::size_t task) {
      const std::size_t begin = task % blocks * rows;
      multiply({.image = task / blocks / groups,
                .group = task / blocks % groups,
                .begin = begin,
                .end = std::min(pixels_, begin + rows)});
    });
  }

 private:
  void multiply(const Block& block) const {
    const auto& [kernels, x, w, bias, window, groups, bounds] = convolution_;
    const std::size_t rows = block.end - block.begin;
    const std::size_t ldx = convolution_.in_channels();
    const std::size_t ldc = convolution_.out_channels();
    const std::size_t column = block.group * out_;
    Tensor columns = Tensor::uninitialized({rows, k_});
    kernels.im2col(
        {.window = window,
         .channels = in_,
         .pixel_begin = block.begin,
         .pixel_end = block.end,
         .x = x.data() + block.image * window.in_h * window.in_w * ldx + block.group * in_,
         .ldx = ldx,
         .columns = columns.data()});
    const Product product{.m = rows,
                          .a = columns.data(),
                          .lda = k_,
                          .bias = bias == nullptr ? nullptr : bias + column,
                          .c = y_.data() + (block.image * pixels_ + block.begin) * ldc + column,
                          .ldc = ldc,
                          .bounds = bounds};
    kernels.gemm(weights_.block(product, block.group, 0, rows, 0, weights_.panels()));
  }

  const Convolution& convolution_;
  Tensor& y_;
  std::size_t in_, out_;  // channels of one group
  std::size_t k_, pixels_;
  PackedWeights weights_;
};

void convolve(const Convolution& convolution, Tensor& y) { Im2colProduct(convolution, y).run(); }

}  // namespace

const ConvolutionPath kIm2col = {.convolve = convolve,
                                 .input_gradient = im2col_input_gradient,
                                 .weight_gradient = im2col_weight_gradient};

}  // namespace lamina::nn
