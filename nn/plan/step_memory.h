#pragma once

#include <array>

#include "nn/plan/program.h"

namespace lamina::nn {

/// Weights that a step reads: `floats` from `offset` on, none where the offset is kAbsent.
struct WeightRange {
  std::size_t offset = kAbsent;
  std::size_t floats = 0;
};

/// The memory that a step touches for one image, in floats: of its places from their offsets on,
/// and of the program's weights. The one description that compilation lays memory out by, that
/// running allots scratch by, and that a plan read from a file is checked by.
struct StepMemory {
  std::size_t x = 0, residual = 0, y = 0;
  std::array<WeightRange, 6> weights = {};
  std::size_t scratch = 0;  // of each thread
};

/// Counts too large to multiply saturate, where the step's fields are within kMaxExtent.
StepMemory memory_of(const kernels::KernelTable& kernels, const Step& step);

/// The largest extent, stride or count of a step.
inline constexpr std::size_t kMaxExtent = std::size_t{1} << 30;

/// The shapes of an inverted_residual step; pointers null but for `expand`, where there is one.
kernels::InvertedResidualArgs block_shape(const Step& step);

/// The scratch that one thread needs for any step.
std::size_t scratch_of(const Program& program);

/// Values of one image.
std::size_t per_image(const Shape& shape);

}  // namespace lamina::nn
