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

// A window that lies inside of the image, each of its rows one piece of memory; fetches those of
// the window below.
float* whole_window(const Im2colArgs& args, const float* x, float* out) {
  const std::size_t row = args.window.kernel_w * args.channels;
  const std::size_t step = args.window.dilation_h * args.window.in_w * args.channels;
  const std::size_t below = args.window.stride_h * args.window.in_w * args.channels;
  for (std::size_t ky = 0; ky < args.window.kernel_h; ++ky, x += step) {
    prefetch_l1(x + below);
    out = copy(x, row, out);
  }
  return out;
}

// The windows of output pixels [begin, end) of row oy.
float* windows_of_row(const Im2colArgs& args, std::size_t oy, std::size_t begin, std::size_t end,
                      float* out) {
  const Window& window = args.window;
  const std::ptrdiff_t y = first_tap(oy, window.stride_h, window.pad_top);
  const Taps rows = taps_inside(y, window.dilation_h, window.kernel_h, window.in_h);
  const std::size_t row = window.kernel_w * args.channels;
  const std::ptrdiff_t last =
      static_cast<std::ptrdiff_t>(window.in_w) - static_cast<std::ptrdiff_t>(window.kernel_w);
  const bool can_be_whole = rows.end - rows.begin == window.kernel_h && window.dilation_w == 1 &&
                            args.ldx == args.channels;
  const auto line = [&](std::size_t ky) {
    const std::size_t iy = static_cast<std::size_t>(y) + ky * window.dilation_h;
    return args.x + iy * window.in_w * args.ldx;
  };
  for (std::size_t ox = begin; ox < end; ++ox) {
    const std::ptrdiff_t x = first_tap(ox, window.stride_w, window.pad_left);
    if (can_be_whole && x >= 0 && x <= last) {
      out = whole_window(args, line(0) + static_cast<std::size_t>(x) * args.channels, out);
      continue;
    }
    out = zeros(rows.begin * row, out);
    for (std::size_t ky = rows.begin; ky < rows.end; ++ky) {
      out = window_row(args, line(ky), x, out);
    }
    out = zeros((window.kernel_h - rows.end) * row, out);
  }
  return out;
}

}  // namespace

void im2col(const Im2colArgs& args) {
  const std::size_t width = args.window.out_w;
  float* out = args.columns;
  std::size_t oy = args.pixel_begin / width;
  std::size_t begin = args.pixel_begin % width;
  for (std::size_t left = args.pixel_end - args.pixel_begin; left > 0; ++oy, begin = 0) {
    const std::size_t count = left < width - begin ? left : width - begin;
    out = windows_of_row(args, oy, begin, begin + count, out);
    left -= count;
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
