#pragma once

#include <cstddef>

#include "core/tensor.h"

namespace lamina::kernels {
struct KernelTable;
}  // namespace lamina::kernels

/// Inside nn only: the gradients of y = x w^T, as a 1x1 convolution and a linear layer are.
namespace lamina::nn {

/// x [rows, in], w [out, in], y [rows, out].
struct ProductShape {
  std::size_t rows, in, out;
};

/// dx = dy w.
void product_input_gradient(const kernels::KernelTable& kernels, const ProductShape& shape,
                            const Tensor& dy, const Tensor& w, Tensor& dx);

/// dw = dy^T x.
void product_weight_gradient(const kernels::KernelTable& kernels, const ProductShape& shape,
                             const Tensor& x, const Tensor& dy, Tensor& dw);

}  // namespace lamina::nn
