#include "nn/ops/gemm_gradient.h"

#include <algorithm>

#include "nn/kernels.h"
#include "nn/ops/block_sums.h"
#include "nn/ops/gemm.h"

namespace lamina::nn {
namespace {

// Rows that one float32 sum runs over.
constexpr std::size_t kRun = 256;
constexpr std::size_t kFewRows = 2 * kRun;
// Columns of a part: whole strips of gemm_tn for every width of vectors.
constexpr std::size_t kPartColumns = 48;
// Outputs of a part where rows are few: whole tiles of gemm_tn, and of MobileNetV2's layers an even
// number of parts.
constexpr std::size_t kPartOutputs = 16;

void weight_gradient_by_rows(const kernels::KernelTable& kernels, const ProductShape& shape,
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

// The gradient is larger than the rows: each part of it is written once.
void weight_gradient_by_outputs(const kernels::KernelTable& kernels, const ProductShape& shape,
                                const Tensor& x, const Tensor& dy, Tensor& dw) {
  const std::size_t rows = shape.rows, in = shape.in, out = shape.out;
  float* const to = dw.data();
  parallel_blocks(out, kPartOutputs, [&](std::size_t begin, std::size_t end) {
    std::fill(to + begin * in, to + end * in, 0.0f);
    for (std::size_t row = 0; row < rows; row += kRun) {
      kernels.gradients.gemm_tn({.m = end - begin,
                                 .n = in,
                                 .k = std::min(kRun, rows - row),
                                 .a = dy.data() + row * out + begin,
                                 .lda = out,
                                 .b = x.data() + row * in,
                                 .ldb = in,
                                 .c = to + begin * in,
                                 .ldc = in});
    }
  });
}

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
  if (shape.rows <= kFewRows) {
    weight_gradient_by_outputs(kernels, shape, x, dy, dw);
  } else {
    weight_gradient_by_rows(kernels, shape, x, dy, dw);
  }
}

}  // namespace lamina::nn
