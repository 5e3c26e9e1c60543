#include "kernels/reference/functions.h"

// For each row of A, for each panel of B:
//   the sums of the panel's columns start as the bias;
//   for each p < k, for each column of the panel: sum += A[i, p] * B[p, column];
//   clamp, add the residual, store.
namespace lamina::kernels::reference {
namespace {

std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

void multiply(const GemmArgs& g, std::size_t i, std::size_t column, std::size_t width) {
  double sums[kMaxPanel];
  for (std::size_t j = 0; j < width; ++j) {
    sums[j] = g.bias == nullptr ? 0.0 : double{g.bias[column + j]};
  }
  const float* a = g.a + i * g.lda;
  const float* b = g.packed + column * g.k;
  for (std::size_t p = 0; p < g.k; ++p) {
    for (std::size_t j = 0; j < width; ++j) {
      sums[j] += double{a[p]} * double{b[p * width + j]};
    }
  }
  for (std::size_t j = 0; j < width; ++j) {
    double value = clamped(sums[j], g.lo, g.hi);
    if (g.residual != nullptr) {
      value += double{g.residual[i * g.ld_residual + column + j]};
    }
    g.c[i * g.ldc + column + j] = static_cast<float>(value);
  }
}

}  // namespace

std::size_t packed_size(std::size_t n, std::size_t k) { return n * k; }

std::size_t best_panel(std::size_t n) { return n == 0 ? 1 : smaller(n, kMaxPanel); }

void pack(const PackArgs& args) {
  float* out = args.packed;
  for (std::size_t column = 0; column < args.n; column += args.panel) {
    const std::size_t width = smaller(args.panel, args.n - column);
    for (std::size_t p = 0; p < args.k; ++p) {
      for (std::size_t j = 0; j < width; ++j) {
        *out++ = args.b[p * args.stride_k + (column + j) * args.stride_n];
      }
    }
  }
}

void gemm(const GemmArgs& args) {
  for (std::size_t i = 0; i < args.m; ++i) {
    for (std::size_t column = 0; column < args.n; column += args.panel) {
      multiply(args, i, column, smaller(args.panel, args.n - column));
    }
  }
}

}  // namespace lamina::kernels::reference
