#pragma once

#include <cstddef>

namespace lamina::kernels {

/// Where a window reads: output pixel (oy, ox) and tap (ky, kx) read input pixel
/// (oy * stride_h + ky * dilation_h - pad_top, ox * stride_w + kx * dilation_w - pad_left), and
/// zero outside of the input. Padding below and to the right follows from the output's extent.
struct Window {
  std::size_t in_h, in_w, out_h, out_w;
  std::size_t kernel_h, kernel_w;
  std::size_t stride_h, stride_w;
  std::size_t dilation_h, dilation_w;
  std::size_t pad_top, pad_left;
};

}  // namespace lamina::kernels
