#include "kernels/simd/functions.h"
#include "kernels/simd/taps.h"
#include "kernels/simd/vec.h"

// For each output pixel, for each row of its window:
//   zeros for the taps left of the image, copies of those inside, zeros for those right of it.
// Where the taps inside lie next to each other in memory (no dilation, no groups) they are one
// copy: three pixels of an RGB image are nine floats, not three times three.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// One row of one window. `x` is column 0 of the input row.
float* window_row(const Im2colArgs& args, const float* x, std::ptrdiff_t first, float* out) {
  const Window& window = args.window;
  const Taps inside = taps_inside(first, window.dilation_w, window.kernel_w, window.in_w);
  out = zeros(inside.begin * args.channels, out);
  const auto tap = [&](std::size_t kx) {
    const std::size_t ix = static_cast<std::size_t>(first) + kx * window.dilation_w;
    return x + ix * args.ldx;
  };
  if (window.dilation_w == 1 && args.ldx == args.channels && inside.begin < inside.end) {
    out = copy(tap(inside.begin), (inside.end - inside.begin) * args.channels, out);
  } else {
    for (std::size_t kx = inside.begin; kx < inside.end; ++kx) {
      out = copy(tap(kx), args.channels, out);
    }
  }
  return zeros((window.kernel_w - inside.end) * args.channels, out);
}

float* window_at(const Im2colArgs& args, std::size_t oy, std::size_t ox, float* out) {
  const Window& window = args.window;
  const std::ptrdiff_t y = first_tap(oy, window.stride_h, window.pad_top);
  const std::ptrdiff_t x = first_tap(ox, window.stride_w, window.pad_left);
  const Taps rows = taps_inside(y, window.dilation_h, window.kernel_h, window.in_h);
  const std::size_t row = window.kernel_w * args.channels;
  out = zeros(rows.begin * row, out);
  for (std::size_t ky = rows.begin; ky < rows.end; ++ky) {
    const std::size_t iy = static_cast<std::size_t>(y) + ky * window.dilation_h;
    out = window_row(args, args.x + iy * window.in_w * args.ldx, x, out);
  }
  return zeros((window.kernel_h - rows.end) * row, out);
}

}  // namespace

void im2col(const Im2colArgs& args) {
  float* out = args.columns;
  for (std::size_t pixel = args.pixel_begin; pixel < args.pixel_end; ++pixel) {
    out = window_at(args, pixel / args.window.out_w, pixel % args.window.out_w, out);
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
