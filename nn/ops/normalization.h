#pragma once

#include <vector>

#include "core/tensor.h"
#include "nn/ops.h"

namespace lamina::kernels {
struct KernelTable;
}  // namespace lamina::kernels

/// Inside nn only: batch norm as arithmetic over the rows of x [..., C].
namespace lamina::nn {

/// Mean and biased variance of each channel, over all `rows` of x.
struct BatchStatistics {
  std::size_t rows;
  std::vector<double> mean, variance;
};
BatchStatistics batch_statistics(const kernels::KernelTable& kernels, const Tensor& x);

/// running = (1 - momentum) running + momentum of the batch's; its variance unbiased, rows / (rows
/// - 1) times the one that normalizes.
void update_running(const BatchStatistics& batch, float momentum, Tensor& running_mean,
                    Tensor& running_variance);

/// y = clamp(x * scale + shift, bounds): what normalizing is once the statistics are known.
struct Normalization {
  Normalization(const std::vector<double>& mean, const std::vector<double>& variance,
                const Tensor& gamma, const Tensor& beta, float epsilon);

  Tensor mean, scale, shift;      ///< [C]
  std::vector<double> deviation;  ///< sqrt(variance + epsilon)
};

Tensor normalize(const kernels::KernelTable& kernels, const Tensor& x, const Normalization& norm,
                 Bounds bounds);

/// Whether mean and variance come from x itself, so that their gradients count too.
enum class Statistics { given, of_batch };

struct NormalizationGradient {
  Tensor dx, dgamma, dbeta;
};
/// dx where x is tracked.
struct NormalizationBackward {
  enum class Wants { parameters, parameters_and_x };

  Normalization norm;
  Bounds bounds;
  Statistics statistics;
  Wants wants;

  NormalizationGradient operator()(const kernels::KernelTable& kernels, const Tensor& x,
                                   const Tensor& dy) const;
};

}  // namespace lamina::nn
