#include "core/autograd.h"
#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/channel_sums.h"
#include "nn/ops/checks.h"
#include "nn/ops/gemm.h"
#include "nn/ops/gemm_gradient.h"
#include "nn/ops/gradients.h"
#include "nn/recorder.h"

namespace lamina::nn {
namespace {

// Packing reads and writes the weights as often as two products with one row do.
constexpr std::size_t kRowsWorthPacking = 8;

// The bias is the product's residual both ways, so that a row has the same bits in any batch.
void multiply_rows(const kernels::KernelTable& kernels, const Tensor& x, const Tensor& w,
                   const float* bias, Tensor& y) {
  const std::size_t in = w.shape()[1];
  const std::size_t out = w.shape()[0];
  multiply(kernels, {.values = w.data(), .n = out, .k = in},
           {.m = x.shape()[0],
            .a = x.data(),
            .lda = in,
            .residual = bias,
            .ld_residual = 0,
            .c = y.data(),
            .ldc = out});
}

// y' = W x': the one row is packed, the weights are read once and as they are.
void multiply_row(const kernels::KernelTable& kernels, const float* x, const Tensor& w,
                  const float* bias, float* y) {
  const std::size_t in = w.shape()[1];
  multiply(kernels, {.values = x, .n = 1, .k = in},
           {.m = w.shape()[0],
            .a = w.data(),
            .lda = in,
            .residual = bias,
            .ld_residual = 1,
            .c = y,
            .ldc = 1});
}

// Keeps x for dw and w for dx.
Backward linear_backward(const Tensor& x, const Tensor& w, const Tensor& bias) {
  const ProductShape shape{.rows = x.shape()[0], .in = w.shape()[1], .out = w.shape()[0]};
  const bool wants_x = x.is_tracked();
  const bool wants_w = w.is_tracked();
  return
      [shape, wants_x, wants_w, wants_bias = bias.is_tracked(), input = Saved(kept_if(wants_w, x)),
       weight = Saved(kept_if(wants_x, w))](const Tensor& dy) {
        const auto& kernels = active_kernels();
        std::vector<Tensor> gradients(3);
        if (wants_x) {
          gradients[0] = Tensor::uninitialized({shape.rows, shape.in});
          product_input_gradient(kernels, shape, dy, weight.get(), gradients[0]);
        }
        if (wants_w) {
          gradients[1] = Tensor::uninitialized({shape.out, shape.in});
          product_weight_gradient(kernels, shape, input.get(), dy, gradients[1]);
        }
        if (wants_bias) {
          gradients[2] = column_sums(kernels, dy, shape.out);
        }
        return gradients;
      };
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias) {
  check(x.shape().rank() == 2, "linear: input must be [N, I]: got ", x.shape());
  check(w.shape().rank() == 2 && !w.empty(), "linear: weight must be [O, I]: got ", w.shape());
  const std::size_t rows = x.shape()[0];
  const std::size_t in = w.shape()[1];
  const std::size_t out = w.shape()[0];
  check(x.shape()[1] == in, "linear: input features must equal weight features: input ", x.shape(),
        " has ", x.shape()[1], ", weight ", w.shape(), " needs ", in);
  if (!bias.empty()) {
    check_vector("linear", "bias", bias, "weight", w.shape(), out);
  }
  if (Recorder* recorder = Recorder::active()) {
    return recorder->record(LinearNode{w, bias}, {&x}, {rows, out});
  }
  const auto& kernels = active_kernels();
  Tensor y = Tensor::uninitialized({rows, out});
  if (rows >= kRowsWorthPacking) {
    multiply_rows(kernels, x, w, bias.data(), y);
  } else {
    for (std::size_t row = 0; row < rows; ++row) {
      multiply_row(kernels, x.data() + row * in, w, bias.data(), y.data() + row * out);
    }
  }
  return record("linear", y, {&x, &w, &bias}, linear_backward(x, w, bias));
}

}  // namespace lamina::nn
