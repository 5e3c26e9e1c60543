#pragma once

#include <cstddef>

#include "kernels/window.h"

/// The manual of the kernels that only training needs: gradients and batch statistics. The rules of
/// kernels/table.h hold. What accumulates adds to its output, which the caller zeroes first.
///
/// Names: y is what the forward pass computed from x and w; dy, dx and dw are the gradients of the
/// loss with respect to them. A clamp passes a gradient strictly inside of its bounds only.
namespace lamina::kernels {

/// C[i, j] += sum_p A[p, i] B[p, j], i < m, j < n, p < k: the weights' gradient of a product, with
/// dy as A and x as B, or the other way round. The sum over p runs in ascending order and starts
/// from zero; the result is then added to C: keep k short (hundreds) where digits count.
struct GemmTnArgs {
  std::size_t m, n, k;
  const float* a;  // [k, m], rows lda apart
  std::size_t lda;
  const float* b;  // [k, n], rows ldb apart
  std::size_t ldb;
  float* c;  // [m, n], rows ldc apart
  std::size_t ldc;
  const float* ahead = nullptr;  // as for GemmArgs
  std::size_t ahead_floats = 0;
};

/// The inverse of im2col's copying: x[input pixel, c] += columns[i, (ky * kernel_w + kx) * channels
/// + c] for the output pixels pixel_begin + i; what fell into the padding is dropped.
struct Col2imArgs {
  Window window;
  std::size_t channels;                // of the group
  std::size_t pixel_begin, pixel_end;  // output pixels, oy * out_w + ox
  const float* columns;                // [pixel_end - pixel_begin, kernel_h * kernel_w * channels]
  float* x;                            // the group's first channel in pixel 0 of the image
  std::size_t ldx;                     // floats from pixel to pixel: all channels
};

/// dx[iy, ix, c] = sum_{ky, kx} dy[oy, ox, c] w[ky, kx, c] over the output pixels (oy, ox) whose
/// tap (ky, kx) reads input pixel (iy, ix); rows row_begin to row_end of the input.
struct DepthwiseInputGradientArgs {
  Window window;  // of the forward convolution
  std::size_t channels;
  std::size_t row_begin, row_end;
  const float* dy;  // [out_h, out_w, channels]
  const float* w;   // [kernel_h, kernel_w, channels]
  float* dx;        // [in_h, in_w, channels]
};

/// dw[ky, kx, c] += sum_{oy, ox} dy[oy, ox, c] x[input pixel of that tap, c] over the output rows
/// row_begin to row_end.
struct DepthwiseWeightGradientArgs {
  Window window;
  std::size_t channels;
  std::size_t row_begin, row_end;
  const float* x;   // [in_h, in_w, channels]
  const float* dy;  // [out_h, out_w, channels]
  float* dw;        // [kernel_h, kernel_w, channels]
};

/// Sums for batch statistics, about a point `shift` near the mean so that no digits cancel:
/// sums[c] += sum_i (x[i, c] - shift[c]), squares[c] += sum_i (x[i, c] - shift[c])^2. One call sums
/// in float32 before it adds to the doubles: keep rows short (hundreds).
struct MomentsArgs {
  std::size_t rows, channels;
  const float* x;
  std::size_t ldx;
  const float* shift;  // [channels]
  double* sums;        // [channels]
  double* squares;     // [channels]
};

/// The two sums that batch norm's gradient needs, for y = clamp(x * scale + shift, lo, hi). With
/// g = dy where lo < x * scale + shift < hi, else 0:
/// sum_dy[c] += sum_i g[i, c], sum_dy_x[c] += sum_i g[i, c] (x[i, c] - mean[c]). Rounds as
/// scale_shift does, so that the mask is the forward pass's; keep rows short (hundreds).
struct NormSumsArgs {
  std::size_t rows, channels;
  const float* x;   // [rows, channels]
  const float* dy;  // [rows, channels]
  const float* scale;
  const float* shift;
  const float* mean;
  float lo, hi;
  double* sum_dy;    // [channels]
  double* sum_dy_x;  // [channels]
};

/// dx[i, c] = g[i, c] a[c] - (x[i, c] - mean[c]) b[c] - d[c], g as for NormSumsArgs. Batch norm's
/// gradient has a = scale, b = scale sum_dy_x / (rows (variance + epsilon)), d = scale sum_dy /
/// rows over the whole batch; with b and d zero it is that of scale_shift alone. dx may be dy.
struct NormInputGradientArgs {
  std::size_t rows, channels;
  const float* x;
  const float* dy;
  const float* scale;
  const float* shift;
  const float* mean;
  float lo, hi;
  const float* a;
  const float* b;
  const float* d;
  float* dx;
};

/// dx[i] = dy[i] where lo < x[i] < hi, else 0, i < count; dx may be dy.
struct ClampGradientArgs {
  std::size_t count;
  const float* x;
  const float* dy;
  float* dx;
  float lo, hi;
};

/// One instruction set's gradients.
struct GradientKernels {
  void (*gemm_tn)(const GemmTnArgs&);
  void (*col2im)(const Col2imArgs&);
  // 3x3, dilation 1, stride 1 or 2 both ways, padding at most 1 left and right, at most 2 above and
  // below: a band of an image's rows counts as an image
  void (*depthwise3x3_input)(const DepthwiseInputGradientArgs&);
  void (*depthwise3x3_weight)(const DepthwiseWeightGradientArgs&);
  void (*depthwise_input)(const DepthwiseInputGradientArgs&);  // any window
  void (*depthwise_weight)(const DepthwiseWeightGradientArgs&);
  void (*moments)(const MomentsArgs&);
  void (*norm_sums)(const NormSumsArgs&);
  void (*norm_input)(const NormInputGradientArgs&);
  void (*clamp)(const ClampGradientArgs&);
};

}  // namespace lamina::kernels
