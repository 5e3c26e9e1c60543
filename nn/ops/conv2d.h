#pragma once

#include "nn/ops.h"

namespace lamina::kernels {
struct KernelTable;
struct Window;
}  // namespace lamina::kernels

namespace lamina::nn {

/// A checked convolution. `bias` is null where there is none.
struct Convolution {
  const kernels::KernelTable& kernels;
  const Tensor& x;
  const Tensor& w;
  const float* bias;
  const kernels::Window& window;
  std::size_t groups;
  Bounds bounds;

  std::size_t images() const { return x.shape()[0]; }
  std::size_t in_channels() const { return x.shape()[3]; }
  std::size_t out_channels() const { return w.shape()[0]; }
};

/// What the options make of these shapes. Throws Error as conv2d does.
kernels::Window conv2d_window(const Shape& x, const Shape& w, const Conv2dOptions& options);

/// Whether the window leaves every pixel alone, so that the convolution is a matrix product.
bool is_pointwise(const kernels::Window& window, std::size_t groups);

/// Whether depthwise3x3 takes the window.
bool is_depthwise3x3(const kernels::Window& window);

/// [C, KH, KW, 1] to [KH, KW, C]: the depthwise kernels take vectors of channels.
Tensor channels_last(const Tensor& w);

/// Three ways to fill y [N, OH, OW, O].
void conv2d_pointwise(const Convolution& convolution, Tensor& y);  // 1x1, stride 1, no padding
void conv2d_depthwise(const Convolution& convolution, Tensor& y);  // groups = C = O
void conv2d_im2col(const Convolution& convolution, Tensor& y);     // any

}  // namespace lamina::nn
