#pragma once

#include <array>
#include <cstddef>

#include "kernels/table.h"

/// Kernels that note how long they take: a layer that is given them tells, while it works as
/// always, where its time goes. Each call lasts microseconds, reading the clock twice 50 ns.
namespace lamina::benchmarks {

/// What a layer's kernels do.
enum class Work {
  product,          ///< gemm, its packing and im2col, depthwise filters; forward, or back to dx
  weight_gradient,  ///< gemm_tn, depthwise3x3_weight
  input_gradient,   ///< depthwise3x3_input, col2im
  norm,             ///< moments, norm_sums, norm_input, scale_shift
};
inline constexpr std::size_t kWorks = 4;

/// Seconds of all threads together for each Work.
using WorkSeconds = std::array<double, kWorks>;

/// The kernels of `table`, which must live on, timed. One table at a time.
kernels::KernelTable timed_kernels(const kernels::KernelTable& table);

/// What the timed kernels have taken since the last call.
WorkSeconds take_seconds();

}  // namespace lamina::benchmarks
