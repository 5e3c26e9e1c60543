#pragma once

#include <cstdint>
#include <vector>

#include "nn/plan/program.h"

namespace lamina::nn {

/// The number of the layout that the kernels' pack() gives weights, for all instruction sets; kept
/// in plan files. To be raised whenever pack() or what kernels expect of its result changes: a test
/// that holds checksums of packed matrices tells.
inline constexpr std::uint32_t kPackedLayout = 1;

/// Gathers the weights of a program into one array, packed for its kernels. Offsets are multiples
/// of 16 floats (64 bytes).
class WeightsBuilder {
 public:
  explicit WeightsBuilder(const kernels::KernelTable& kernels) : kernels_(kernels) {}

  /// As it is; kAbsent for an empty tensor.
  std::size_t add(const Tensor& values);

  /// [n, ...] with k values each, in panels of that width.
  PackedMatrix add_matrix(const Tensor& weight, const Tensor& bias, std::size_t panel);

  /// The same, cut into `groups` matrices of n / groups rows, one after the other.
  PackedMatrix add_groups(const Tensor& weight, const Tensor& bias, std::size_t groups);

  Tensor finish() const;

 private:
  std::size_t append(const Tensor& piece);

  const kernels::KernelTable& kernels_;
  std::vector<Tensor> pieces_;
  std::size_t size_ = 0;
};

/// Floats from one group's packed matrix to the next.
std::size_t group_floats(const kernels::KernelTable& kernels, std::size_t n, std::size_t k);

}  // namespace lamina::nn
