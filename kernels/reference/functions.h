#pragma once

#include "kernels/table.h"

/// The specification of every kernel: plain loops, sums in double, one rounding at the end.
namespace lamina::kernels::reference {

std::size_t packed_size(std::size_t n, std::size_t k);
std::size_t best_panel(std::size_t n);
void pack(const PackArgs& args);
void gemm(const GemmArgs& args);
void im2col(const Im2colArgs& args);
void depthwise(const DepthwiseArgs& args);
std::size_t inverted_residual_scratch(const InvertedResidualArgs& args);
void inverted_residual(const InvertedResidualArgs& args);
void mean_rows(const MeanArgs& args);
void scale_shift(const ScaleShiftArgs& args);
void add(const AddArgs& args);
void clamp(const ClampArgs& args);
void softmax(const SoftmaxArgs& args);
void depthwise_input(const DepthwiseInputGradientArgs& args);
void depthwise_weight(const DepthwiseWeightGradientArgs& args);

void gemm_tn(const GemmTnArgs& args);
void col2im(const Col2imArgs& args);
void moments(const MomentsArgs& args);
void norm_sums(const NormSumsArgs& args);
void norm_input(const NormInputGradientArgs& args);
void clamp_gradient(const ClampGradientArgs& args);

inline constexpr std::size_t kLanes = 1;
inline constexpr std::size_t kMaxPanel = 8;

/// Neither comparison holds for a NaN, which therefore stays.
inline double clamped(double x, float lo, float hi) {
  return x < double{lo} ? double{lo} : x > double{hi} ? double{hi} : x;
}

}  // namespace lamina::kernels::reference
