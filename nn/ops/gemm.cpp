#include "nn/ops/gemm.h"

#include <algorithm>

#include "nn/kernels.h"
#include "nn/ops/blocks.h"

namespace lamina::nn {
namespace {

// A block of A's rows, 128 KB, shares a core's L2 (512 KB and more) with the panel it meets; but
// 63 rows at least, so that reading a panel is little work beside its products.
constexpr std::size_t kRowBlockFloats = 32 * 1024;
constexpr std::size_t kMinRows = 63;

// Blocks of nearly equal height.
std::size_t block_rows(std::size_t m, std::size_t k) {
  const std::size_t limit = std::max(kMinRows, kRowBlockFloats / k);
  return divide_up(m, divide_up(m, limit));
}

}  // namespace

PackedWeights::PackedWeights(const kernels::KernelTable& kernels, const Matrices& weights)
    : n_(weights.n),
      k_(weights.k),
      panel_(kernels.best_panel(n_)),
      width_(panel_ * kernels.lanes),
      panels_(divide_up(n_, width_)),
      matrix_floats_(divide_up(kernels.packed_size(n_, k_), 16) * 16),  // keeps 64-byte alignment
      packed_(Tensor::uninitialized({weights.count, matrix_floats_})) {
  const bool by_output = weights.orientation == Orientation::by_output;
  const std::size_t stride_n = by_output ? k_ : 1;
  const std::size_t stride_k = by_output ? 1 : n_;
  const std::size_t task_panels = task_rows(width_ * k_);
  const std::size_t tasks = divide_up(panels_, task_panels);
  float* packed = packed_.data();
  parallel_for(weights.count * tasks, [&](std::size_t task) {
    const std::size_t matrix = task / tasks;
    const std::size_t begin = task % tasks * task_panels * width_;
    const std::size_t end = std::min(n_, begin + task_panels * width_);
    kernels.pack({.n = end - begin,
                  .k = k_,
                  .panel = panel_,
                  .b = weights.values + matrix * n_ * k_ + begin * stride_n,
                  .stride_n = stride_n,
                  .stride_k = stride_k,
                  .packed = packed + matrix * matrix_floats_ + begin * k_});
  });
}

kernels::GemmArgs PackedWeights::block(const Product& product, std::size_t matrix,
                                       std::size_t row_begin, std::size_t row_end,
                                       std::size_t panel_begin, std::size_t panel_end) const {
  const std::size_t column = panel_begin * width_;
  const auto& [m, a, lda, bias, residual, ld_residual, c, ldc, bounds] = product;
  return {.m = row_end - row_begin,
          .n = std::min(n_, panel_end * width_) - column,
          .k = k_,
          .panel = panel_,
          .a = a + row_begin * lda,
          .lda = lda,
          .packed = packed_.data() + matrix * matrix_floats_ + column * k_,
          .bias = bias == nullptr ? nullptr : bias + column,
          .residual = residual == nullptr ? nullptr : residual + row_begin * ld_residual + column,
          .ld_residual = ld_residual,
          .c = c + row_begin * ldc + column,
          .ldc = ldc,
          .lo = bounds.lo,
          .hi = bounds.hi};
}

void parallel_gemm(const kernels::KernelTable& kernels, const PackedWeights& weights,
                   const Product& product) {
  if (product.m == 0) {
    return;
  }
  const std::size_t rows = block_rows(product.m, weights.k());
  const std::size_t panels = weights.panels();
  parallel_for(divide_up(product.m, rows) * panels, [&](std::size_t task) {
    const std::size_t begin = task / panels * rows;
    const std::size_t panel = task % panels;
    const std::size_t end = std::min(product.m, begin + rows);
    kernels.gemm(weights.block(product, 0, begin, end, panel, panel + 1));
  });
}

}  // namespace lamina::nn
