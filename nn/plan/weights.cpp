#include "nn/plan/weights.h"

#include <algorithm>

#include "nn/ops/blocks.h"

namespace lamina::nn {
namespace {

std::size_t aligned(std::size_t floats) { return divide_up(floats, 16) * 16; }

}  // namespace

std::size_t group_floats(const kernels::KernelTable& kernels, std::size_t n, std::size_t k) {
  return aligned(kernels.packed_size(n, k));
}

std::size_t WeightsBuilder::append(const Tensor& piece) {
  const std::size_t offset = size_;
  pieces_.push_back(piece);
  size_ += aligned(piece.size());
  return offset;
}

std::size_t WeightsBuilder::add(const Tensor& values) {
  return values.empty() ? kAbsent : append(values);
}

PackedMatrix WeightsBuilder::add_matrix(const Tensor& weight, const Tensor& bias,
                                        std::size_t panel) {
  PackedMatrix matrix = {.n = weight.shape()[0], .k = weight.size() / weight.shape()[0]};
  matrix.panel = panel;
  Tensor packed = Tensor::zeros({group_floats(kernels_, matrix.n, matrix.k)});
  kernels_.pack({.n = matrix.n,
                 .k = matrix.k,
                 .panel = panel,
                 .b = weight.data(),
                 .stride_n = matrix.k,
                 .stride_k = 1,
                 .packed = packed.data()});
  matrix.values = append(packed);
  matrix.bias = add(bias);
  return matrix;
}

PackedMatrix WeightsBuilder::add_groups(const Tensor& weight, const Tensor& bias,
                                        std::size_t groups) {
  const std::size_t n = weight.shape()[0] / groups;
  const std::size_t k = weight.size() / weight.shape()[0];
  const std::size_t panel = kernels_.best_panel(n);
  const std::size_t floats = group_floats(kernels_, n, k);
  Tensor packed = Tensor::zeros({groups * floats});
  for (std::size_t group = 0; group < groups; ++group) {
    kernels_.pack({.n = n,
                   .k = k,
                   .panel = panel,
                   .b = weight.data() + group * n * k,
                   .stride_n = k,
                   .stride_k = 1,
                   .packed = packed.data() + group * floats});
  }
  return {.n = n, .k = k, .panel = panel, .values = append(packed), .bias = add(bias)};
}

Tensor WeightsBuilder::finish() const {
  Tensor weights = Tensor::on_large_pages({std::max<std::size_t>(1, size_)});
  std::size_t offset = 0;
  for (const Tensor& piece : pieces_) {
    std::ranges::copy(piece.values(), weights.data() + offset);
    offset += aligned(piece.size());
  }
  return weights;
}

}  // namespace lamina::nn
