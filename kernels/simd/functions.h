#pragma once

#include "kernels/simd/vec.h"
#include "kernels/table.h"

/// This instruction set's kernels, as kernels/table.h and kernels/gradients.h describe them.
namespace lamina::kernels::LAMINA_ISA {

std::size_t packed_size(std::size_t n, std::size_t k);
std::size_t best_panel(std::size_t n);
void pack(const PackArgs& args);
void gemm(const GemmArgs& args);

/// gemm with A in `segments` pieces [m, k] side by side, args.a unused: B has segments * k rows. A
/// null piece is zero.
void gemm_segments(const GemmArgs& args, const float* const* a, std::size_t segments);

void im2col(const Im2colArgs& args);
void depthwise3x3(const DepthwiseArgs& args);

/// One or two output rows of a 3x3 depthwise convolution, and the input rows under them, which need
/// not lie in one image. Strides count floats.
struct DepthwiseRows {
  const float* in[4];  // null where the window leaves the image
  std::size_t in_w, in_pixel;
  float* out[2];
  std::size_t out_w, out_pixel;
  std::size_t stride, pad_left;
  std::size_t channels;
  const float* w;
  std::ptrdiff_t w_tap;
  const float* bias;  // null: zeros
  float lo, hi;
};
/// The most output rows of stride 1 that depthwise3x3_rows takes at once; of stride 2 it takes one.
inline constexpr std::size_t kDepthwiseRowsAtOnce = kRegisters == 32 ? 2 : 1;
void depthwise3x3_rows(const DepthwiseRows& rows, std::size_t count);

void depthwise(const DepthwiseArgs& args);
std::size_t inverted_residual_scratch(const InvertedResidualArgs& args);
void inverted_residual(const InvertedResidualArgs& args);
void mean_rows(const MeanArgs& args);
void scale_shift(const ScaleShiftArgs& args);
void add(const AddArgs& args);
void clamp(const ClampArgs& args);
void softmax(const SoftmaxArgs& args);
void depthwise3x3_input(const DepthwiseInputGradientArgs& args);
void depthwise3x3_weight(const DepthwiseWeightGradientArgs& args);
void depthwise_input(const DepthwiseInputGradientArgs& args);
void depthwise_weight(const DepthwiseWeightGradientArgs& args);

void gemm_tn(const GemmTnArgs& args);
void col2im(const Col2imArgs& args);
void moments(const MomentsArgs& args);
void norm_sums(const NormSumsArgs& args);
void norm_input(const NormInputGradientArgs& args);
void clamp_gradient(const ClampGradientArgs& args);

/// The widest panel that gemm takes, in vectors.
inline constexpr std::size_t kMaxPanel = 4;

}  // namespace lamina::kernels::LAMINA_ISA
