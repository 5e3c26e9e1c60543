#include "nn/ops/gemm_gradient.h"

#include "nn/kernels.h"
#include "nn/ops/block_sums.h"
#include "nn/ops/gemm.h"

namespace lamina::nn {
namespace {

// Rows that one float32 sum runs over.
constexpr std::size_t kRun = 256;
// Columns of a part: whole strips of gemm_tn for every width of vectors.
constexpr std::size_t kPartColumns = 48;

}  // namespace

void product_input_gradient(const kernels::KernelTable& kernels, const ProductShape& shape,
                            const Tensor& dy, const Tensor& w, Tensor& dx) {
  multiply(
      kernels,
      {.values = w.data(), .n = shape.in, .k = shape.out, .orientation = Orientation::by_input},
      {.m = shape.rows, .a = dy.data(), .lda = shape.out, .c = dx.data(), .ldc = shape.in});
}

void product_weight_gradient(const kernels::KernelTable& kernels, const ProductShape& shape,
                             const Tensor& x, const Tensor& dy, Tensor& dw) {
  const std::size_t rows = shape.rows, in = shape.in, out = shape.out;
  sum_in_blocks(divide_up(rows, kRun), divide_up(in, kPartColumns), dw,
                [&](std::size_t run, std::size_t part, float* sum) {
                  const std::size_t begin = run * kRun;
                  const std::size_t column = part * kPartColumns;
                  kernels.gradients.gemm_tn({.m = out,
                                             .n = std::min(kPartColumns, in - column),
                                             .k = std::min(kRun, rows - begin),
                                             .a = dy.data() + begin * out,
                                             .lda = out,
                                             .b = x.data() + begin * in + column,
                                             .ldb = in,
                                             .c = sum + column,
                                             .ldc = in});
                });
}

}  // namespace lamina::nn
