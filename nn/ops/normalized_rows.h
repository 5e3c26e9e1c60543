#pragma once

#include <cstddef>

#include "core/tensor.h"
#include "kernels/table.h"
#include "nn/ops/channel_sums.h"
#include "nn/ops/normalization.h"

/// Inside nn only: batch norm with a clamp on some rows at a time.
namespace lamina::nn {

/// What turns dy into dx, as kernels::NormInputGradientArgs has it. `sums` are those of
/// NormalizedRows::add_sums over all `rows`.
struct InputTerms {
  InputTerms(const Normalization& norm, const ChannelSums& sums, std::size_t rows,
             Statistics statistics);

  Tensor a, b, d;  ///< [C]
};

/// [C] each.
struct NormParameterGradients {
  NormParameterGradients(const Normalization& norm, const ChannelSums& sums);

  Tensor gamma, beta;
};

/// Rows [begin, begin + count) of x; the arrays given and filled begin with that row.
struct NormalizedRows {
  const kernels::KernelTable& kernels;
  const Tensor& x;  ///< [..., C], not yet normalized
  const Normalization& norm;
  Bounds bounds;

  /// y = clamp(x * scale + shift), plus `residual` unless it is null.
  void apply(std::size_t begin, std::size_t count, float* y, const float* residual = nullptr) const;

  /// Adds the two sums of kernels::NormSumsArgs; any number of rows.
  void add_sums(std::size_t begin, std::size_t count, const float* dy, double* sum_dy,
                double* sum_dy_x) const;

  void input_gradient(std::size_t begin, std::size_t count, const float* dy,
                      const InputTerms& terms, float* dx) const;

  std::size_t channels() const { return norm.scale.size(); }
};

}  // namespace lamina::nn
