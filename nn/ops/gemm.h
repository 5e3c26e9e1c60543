#pragma once

#include <cstddef>

#include "core/tensor.h"
#include "nn/ops.h"

namespace lamina::kernels {
struct GemmArgs;
struct KernelTable;
}  // namespace lamina::kernels

namespace lamina::nn {

/// C = clamp(A B + bias, bounds) + residual with B to come, as in kernels::GemmArgs.
struct Product {
  std::size_t m;
  const float* a;
  std::size_t lda;
  const float* bias = nullptr;
  const float* residual = nullptr;
  std::size_t ld_residual = 0;
  float* c;
  std::size_t ldc;
  Bounds bounds = {};
};

/// How B [k, n] lies in memory.
enum class Orientation {
  by_output,  ///< [n, k], as weights are
  by_input,   ///< [k, n], as weights are when a gradient goes back through them
};

/// `count` matrices B, one after the other.
struct Matrices {
  const float* values;
  std::size_t n, k;
  std::size_t count = 1;
  Orientation orientation = Orientation::by_output;
};

/// Matrices laid out for the gemm kernel.
class PackedWeights {
 public:
  PackedWeights(const kernels::KernelTable& kernels, const Matrices& weights);

  std::size_t k() const { return k_; }
  std::size_t panels() const { return panels_; }

  /// What the kernel takes for rows [row_begin, row_end) and panels [panel_begin, panel_end) of the
  /// product with one matrix.
  kernels::GemmArgs block(const Product& product, std::size_t matrix, std::size_t row_begin,
                          std::size_t row_end, std::size_t panel_begin,
                          std::size_t panel_end) const;

 private:
  std::size_t n_, k_;
  std::size_t panel_, width_, panels_;  // vectors and columns in a panel, panels
  std::size_t matrix_floats_;
  Tensor packed_;
};

/// The product with the first matrix, in parallel. The weights are packed for this once.
void multiply(const kernels::KernelTable& kernels, const Matrices& weights, const Product& product);

}  // namespace lamina::nn
