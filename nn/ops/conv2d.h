#pragma once

#include "core/autograd.h"
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

/// A convolution's gradient at its result, as that is without the bounds.
struct ConvolutionGradient {
  const kernels::KernelTable& kernels;
  const Tensor& dy;
  const Shape& x;
  const Shape& w;
  const kernels::Window& window;
  std::size_t groups;

  std::size_t images() const { return x[0]; }
  std::size_t in_channels() const { return x[3]; }
  std::size_t out_channels() const { return w[0]; }
};

/// One way to convolve: y [N, OH, OW, O] from x and w, dx from dy and w, dw from dy and x.
struct ConvolutionPath {
  void (*convolve)(const Convolution& convolution, Tensor& y);
  Tensor (*input_gradient)(const ConvolutionGradient& gradient, const Tensor& w);
  Tensor (*weight_gradient)(const ConvolutionGradient& gradient, const Tensor& x);
};
extern const ConvolutionPath kPointwise;  // 1x1, stride 1, no padding
extern const ConvolutionPath kDepthwise;  // groups = C = O
extern const ConvolutionPath kIm2col;     // any

/// The fastest path for a convolution of x and w.
const ConvolutionPath& convolution_path(const Shape& x, const Shape& w,
                                        const kernels::Window& window, std::size_t groups);

Tensor pointwise_input_gradient(const ConvolutionGradient& gradient, const Tensor& w);
Tensor pointwise_weight_gradient(const ConvolutionGradient& gradient, const Tensor& x);
Tensor depthwise_input_gradient(const ConvolutionGradient& gradient, const Tensor& w);
Tensor depthwise_weight_gradient(const ConvolutionGradient& gradient, const Tensor& x);
Tensor im2col_input_gradient(const ConvolutionGradient& gradient, const Tensor& w);
Tensor im2col_weight_gradient(const ConvolutionGradient& gradient, const Tensor& x);

/// What conv2d records for its result `y`.
Backward conv2d_backward(const Convolution& convolution, const Tensor& bias, const Tensor& y);

}  // namespace lamina::nn
