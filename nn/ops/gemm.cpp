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
// Weights that meet fewer are most of what a product reads.
constexpr std::size_t kFewRows = 256;

// Blocks of nearly equal height.
std::size_t block_rows(std::size_t m, std::size_t k) {
  const std::size_t limit = std::max(kMinRows, kRowBlockFloats / k);
  return divide_up(m, divide_up(m, limit));
}

struct Range {
  std::size_t begin, end;
};

// What packs those columns of the first matrix into `packed`.
kernels::PackArgs pack_args(const Matrices& weights, std::size_t panel, Range columns,
                            float* packed) {
  const bool by_output = weights.orientation == Orientation::by_output;
  const std::size_t stride_n = by_output ? weights.k : 1;
  return {.n = columns.end - columns.begin,
          .k = weights.k,
          .panel = panel,
          .b = weights.values + columns.begin * stride_n,
          .stride_n = stride_n,
          .stride_k = by_output ? 1 : weights.n,
          .packed = packed};
}

// What computes those rows and columns of the product; for the caller to add B.
kernels::GemmArgs product_args(const Product& product, Range rows, Range columns) {
  const auto& [m, a, lda, bias, residual, ld_residual, c, ldc, bounds] = product;
  return {.m = rows.end - rows.begin,
          .n = columns.end - columns.begin,
          .k = 0,
          .panel = 0,
          .a = a + rows.begin * lda,
          .lda = lda,
          .packed = nullptr,
          .bias = bias == nullptr ? nullptr : bias + columns.begin,
          .residual =
              residual == nullptr ? nullptr : residual + rows.begin * ld_residual + columns.begin,
          .ld_residual = ld_residual,
          .c = c + rows.begin * ldc + columns.begin,
          .ldc = ldc,
          .lo = bounds.lo,
          .hi = bounds.hi};
}

// All rows meet a panel right after it was packed: it comes from memory once, into a core's L2.
void multiply_by_panels(const kernels::KernelTable& kernels, const Matrices& weights,
                        const Product& product) {
  const std::size_t panel = kernels.best_panel(weights.n);
  const std::size_t width = panel * kernels.lanes;
  parallel_blocks(weights.n, width, [&](std::size_t begin, std::size_t end) {
    Tensor packed = Tensor::uninitialized({kernels.packed_size(end - begin, weights.k)});
    kernels.pack(pack_args(weights, panel, {begin, end}, packed.data()));
    kernels::GemmArgs args = product_args(product, {0, product.m}, {begin, end});
    args.k = weights.k;
    args.panel = panel;
    args.packed = packed.data();
    const kernels::PackArgs next = pack_args(weights, panel, {end, weights.n}, nullptr);
    args.ahead = next.b;
    args.ahead_floats = next.stride_k == 1 ? std::min(width, next.n) * weights.k : 0;
    kernels.gemm(args);
  });
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
  const std::size_t task_panels = task_rows(width_ * k_);
  const std::size_t tasks = divide_up(panels_, task_panels);
  float* packed = packed_.data();
  parallel_for(weights.count * tasks, [&](std::size_t task) {
    const std::size_t matrix = task / tasks;
    const std::size_t begin = task % tasks * task_panels * width_;
    const Range columns = {begin, std::min(n_, begin + task_panels * width_)};
    kernels::PackArgs args =
        pack_args(weights, panel_, columns, packed + matrix * matrix_floats_ + begin * k_);
    args.b += matrix * n_ * k_;
    kernels.pack(args);
  });
}

kernels::GemmArgs PackedWeights::block(const Product& product, std::size_t matrix,
                                       std::size_t row_begin, std::size_t row_end,
                                       std::size_t panel_begin, std::size_t panel_end) const {
  const std::size_t column = panel_begin * width_;
  kernels::GemmArgs args =
      product_args(product, {row_begin, row_end}, {column, std::min(n_, panel_end * width_)});
  args.k = k_;
  args.panel = panel_;
  args.packed = packed_.data() + matrix * matrix_floats_ + column * k_;
  return args;
}

namespace {

// Blocks of rows and panels.
void multiply_by_blocks(const kernels::KernelTable& kernels, const PackedWeights& weights,
                        const Product& product) {
  const std::size_t rows = block_rows(product.m, weights.k());
  const std::size_t panels = weights.panels();
  parallel_for(divide_up(product.m, rows) * panels, [&](std::size_t task) {
    const std::size_t begin = task / panels * rows;
    const std::size_t panel = task % panels;
    const std::size_t end = std::min(product.m, begin + rows);
    kernels.gemm(weights.block(product, 0, begin, end, panel, panel + 1));
  });
}

}  // namespace

void multiply(const kernels::KernelTable& kernels, const Matrices& weights,
              const Product& product) {
  if (product.m == 0) {
    return;
  }
  if (product.m <= kFewRows) {
    multiply_by_panels(kernels, weights, product);
  } else {
    multiply_by_blocks(kernels, PackedWeights(kernels, weights), product);
  }
}

}  // namespace lamina::nn
