#pragma once

#include <cstddef>

#include "kernels/gradients.h"
#include "kernels/window.h"

/// The manual of the kernels: what each one computes and on which arrays. Every kernel runs on the
/// calling thread, allocates nothing, throws nothing and trusts its arguments; the ops check them
/// and cut the work. All arrays are float32. Strides and leading dimensions count floats. Inputs
/// need no alignment; 64 bytes are fastest. An output may not overlap an input unless said.
///
/// Sums run in the same order whatever part of the work one call does, so results have the same
/// bits however the work is cut. clamp(x, lo, hi) keeps a NaN; lo = -infinity and hi = infinity
/// leave x as it is.
namespace lamina::kernels {

/// Lays out a matrix B [k, n] for gemm: panels of `panel` vectors' width, each [k][width], the
/// last one only as many vectors wide as it needs; what it holds beyond n is its table's own.
/// B[p, j] is b[p * stride_k + j * stride_n]: weights [n, k] have stride_k 1 and stride_n k.
struct PackArgs {
  std::size_t n, k;
  std::size_t panel;  // vectors in a panel, 1 to max_panel
  const float* b;
  std::size_t stride_n, stride_k;
  float* packed;  // packed_size(n, k) floats, aligned to 64 bytes
};

/// C[i, j] = clamp(sum_p A[i, p] B[p, j] + bias[j], lo, hi) + residual[i, j]
/// for i < m, j < n, p < k. Panel q of B starts at packed + q * panel * lanes * k: a caller may cut
/// the columns there.
struct GemmArgs {
  std::size_t m, n, k;
  std::size_t panel;  // as packed
  const float* a;     // [m, k], rows lda apart
  std::size_t lda;
  const float* packed;    // by pack
  const float* bias;      // [n]; null: zeros
  const float* residual;  // [m, n], rows ld_residual apart; null: zeros; may be c
  std::size_t ld_residual;
  float* c;  // [m, n], rows ldc apart
  std::size_t ldc;
  float lo, hi;
  // What the caller reads next, to be brought into L2 meanwhile as far as memory keeps up; null:
  // the next panel.
  const float* ahead = nullptr;
  std::size_t ahead_floats = 0;
};

/// The matrix whose product with the weights is a convolution (Chellapilla et al. 2006): row i
/// holds, tap by tap, the `channels` values that output pixel pixel_begin + i of one image reads:
/// columns[i, (ky * kernel_w + kx) * channels + c] = x[input pixel, c].
struct Im2colArgs {
  Window window;
  std::size_t channels;                // of the group
  std::size_t pixel_begin, pixel_end;  // output pixels, oy * out_w + ox
  const float* x;                      // the group's first channel in pixel 0 of the image
  std::size_t ldx;                     // floats from pixel to pixel: all channels
  float* columns;                      // [pixel_end - pixel_begin, kernel_h * kernel_w * channels]
};

/// Depthwise convolution of one image, rows row_begin to row_end of the output:
/// y[oy, ox, c] = clamp(sum_{ky, kx} x[input pixel, c] w[ky, kx, c] + bias[c], lo, hi).
struct DepthwiseArgs {
  Window window;
  std::size_t channels;
  std::size_t row_begin, row_end;
  const float* x;     // [in_h, in_w, channels]
  const float* w;     // [kernel_h, kernel_w, channels]
  const float* bias;  // [channels]; null: zeros
  float* y;           // [out_h, out_w, channels]
  float lo, hi;
};

/// The most taps either way that inverted_residual's first convolution may have.
inline constexpr std::size_t kMaxFirstTaps = 7;

/// Three convolutions in one pass (section 3.2 of the paper), rows row_begin to row_end of the
/// output, the tensors between them in slices: hidden = clamp(first convolution of x, lo, hi),
/// filtered = clamp(3x3 depthwise convolution of hidden, lo, hi), y = clamp(1x1 convolution of
/// filtered, project_lo, project_hi) + residual. The first is a 1x1 convolution, or a larger
/// one (the network's stem) of at most 7 x 7 taps without dilation and with less padding than taps,
/// or none: x is the hidden tensor.
struct InvertedResidualArgs {
  Window first;   // of the first convolution; its output is window's input
  Window window;  // of the depthwise convolution, as depthwise3x3 takes it
  std::size_t in_channels, hidden, out_channels;
  std::size_t row_begin, row_end;
  std::size_t rows_at_once;     // output rows in a slice
  const float* x;               // [first.in_h, first.in_w, in_channels]
  const float* expand;          // by pack, k = kernel_h * kernel_w * in_channels; null: none
  std::size_t expand_panel;     // as packed
  const float* expand_bias;     // [hidden]; null: zeros
  const float* depthwise;       // [3, 3, hidden]
  const float* depthwise_bias;  // [hidden]; null: zeros
  const float* project;         // by pack, k = hidden
  std::size_t project_panel;    // as packed
  const float* project_bias;    // [out_channels]; null: zeros
  const float* residual;        // [out_h, out_w, out_channels]; null: zeros; may be y
  float* y;                     // [out_h, out_w, out_channels]; not x
  float lo, hi;
  float project_lo, project_hi;
  float* scratch;  // inverted_residual_scratch floats, aligned to 64 bytes
};

/// y[c] = (sum_{i < rows} x[i, c]) / rows for c < channels, rows of x ldx apart.
struct MeanArgs {
  std::size_t rows, channels;
  const float* x;
  std::size_t ldx;
  float* y;
};

/// y[i, c] = clamp(x[i, c] * scale[c] + shift[c], lo, hi) + residual[i, c], i < rows,
/// c < channels; y may be x or residual.
struct ScaleShiftArgs {
  std::size_t rows, channels;
  const float* x;
  const float* scale;
  const float* shift;
  const float* residual = nullptr;  // null: zeros
  float* y;
  float lo, hi;
};

/// y[i] = clamp(a[i] + b[i], lo, hi), i < count; y may be a or b.
struct AddArgs {
  std::size_t count;
  const float* a;
  const float* b;
  float* y;
  float lo, hi;
};

/// y[i] = clamp(x[i], lo, hi), i < count; y may be x.
struct ClampArgs {
  std::size_t count;
  const float* x;
  float* y;
  float lo, hi;
};

/// y[i, j] = exp(x[i, j] - max_j x[i, j]) / sum_j exp(x[i, j] - max_j x[i, j]), i < rows, j < n;
/// y may be x. A row that holds a NaN becomes NaN throughout.
struct SoftmaxArgs {
  std::size_t rows, n;
  const float* x;
  float* y;
};

/// One instruction set's kernels.
struct KernelTable {
  const char* isa;        // "avx512", "avx2", "sse2", "neon", "reference"
  std::size_t lanes;      // floats in a vector
  std::size_t max_panel;  // the widest panel that gemm takes, in vectors

  std::size_t (*packed_size)(std::size_t n, std::size_t k);  // floats, whatever the panel
  std::size_t (*best_panel)(std::size_t n);                  // the panel to use for n columns
  void (*pack)(const PackArgs&);
  void (*gemm)(const GemmArgs&);
  void (*im2col)(const Im2colArgs&);
  // 3x3, dilation 1, stride 1 or 2 both ways, padding at most 1 on each side
  void (*depthwise3x3)(const DepthwiseArgs&);
  void (*depthwise)(const DepthwiseArgs&);                                // any window
  std::size_t (*inverted_residual_scratch)(const InvertedResidualArgs&);  // floats
  void (*inverted_residual)(const InvertedResidualArgs&);
  void (*mean_rows)(const MeanArgs&);
  void (*scale_shift)(const ScaleShiftArgs&);
  void (*add)(const AddArgs&);
  void (*clamp)(const ClampArgs&);
  void (*softmax)(const SoftmaxArgs&);
  GradientKernels gradients;
};

}  // namespace lamina::kernels
