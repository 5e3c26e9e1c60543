#pragma once

#include "kernels/table.h"
#include "nn/plan/layers.h"

namespace lamina::nn {

/// A convolution's window.
kernels::Window window_of(const FusedLayer& layer);

/// Whether a layer is a matrix product on its input as it lies: 1x1, one group.
bool is_product(const FusedLayer& layer);

/// Whether a layer filters each channel on its own, in any window or in one that depthwise3x3
/// takes.
bool is_depthwise(const FusedLayer& layer);
bool is_depthwise3x3(const FusedLayer& layer);

/// Whether inverted_residual can make a layer's result row by row.
bool is_first(const FusedLayer& layer);

/// Whether inverted_residual takes the window for its first convolution.
bool fits_first(const kernels::Window& window);

/// Zeros that a window reads beyond the end of an axis: the padding there that is made use of.
std::size_t padding_after(std::size_t in, std::size_t reach, std::size_t pad_before);

}  // namespace lamina::nn
