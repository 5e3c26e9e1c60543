#pragma once

#include "kernels/simd/isa.h"
#include "kernels/table.h"

/// This instruction set's kernels, as kernels/table.h describes them.
namespace lamina::kernels::LAMINA_ISA {

std::size_t packed_size(std::size_t n, std::size_t k);
std::size_t best_panel(std::size_t n);
void pack(const PackArgs& args);
void gemm(const GemmArgs& args);
void im2col(const Im2colArgs& args);
void depthwise3x3(const DepthwiseArgs& args);
void depthwise(const DepthwiseArgs& args);
void mean_rows(const MeanArgs& args);
void scale_shift(const ScaleShiftArgs& args);
void add(const AddArgs& args);
void clamp(const ClampArgs& args);
void softmax(const SoftmaxArgs& args);

/// The widest panel that gemm takes, in vectors.
inline constexpr std::size_t kMaxPanel = 4;

}  // namespace lamina::kernels::LAMINA_ISA
