#include "kernels/simd/functions.h"
#include "kernels/simd/taps.h"
#include "kernels/simd/vec.h"

// For each output pixel, for each row of its window, for each tap inside of the image:
//   add the tap's channels to the input pixel's.
// Where the taps inside lie next to each other in memory (no dilation, no groups) they are added
// as one run.
namespace lamina::kernels::LAMINA_ISA {
namespace {

LAMINA_INLINE void add(const float* from, std::size_t count, float* to) {
  for_lanes(count, [&](std::size_t i, auto lanes) {
    store(to + i, load(to + i, lanes) + load(from + i, lanes), lanes);
  });
}

// One row of one window. `x` is column 0 of the input row.
void window_row(const Col2imArgs& args, const float* columns, std::ptrdiff_t first, float* x) {
  const Window& window = args.window;
  const Taps inside = taps_inside(first, window.dilation_w, window.kernel_w, window.in_w);
  const auto tap = [&](std::size_t kx) {
    const std::size_t ix = static_cast<std::size_t>(first) + kx * window.dilation_w;
    return x + ix * args.ldx;
  };
  if (window.dilation_w == 1 && args.ldx == args.channels && inside.begin < inside.end) {
    add(columns + inside.begin * args.channels, (inside.end - inside.begin) * args.channels,
        tap(inside.begin));
    return;
  }
  for (std::size_t kx = inside.begin; kx < inside.end; ++kx) {
    add(columns + kx * args.channels, args.channels, tap(kx));
  }
}

void window_at(const Col2imArgs& args, const float* columns, std::size_t oy, std::size_t ox) {
  const Window& window = args.window;
  const std::ptrdiff_t y = first_tap(oy, window.stride_h, window.pad_top);
  const std::ptrdiff_t x = first_tap(ox, window.stride_w, window.pad_left);
  const Taps rows = taps_inside(y, window.dilation_h, window.kernel_h, window.in_h);
  for (std::size_t ky = rows.begin; ky < rows.end; ++ky) {
    const std::size_t iy = static_cast<std::size_t>(y) + ky * window.dilation_h;
    window_row(args, columns + ky * window.kernel_w * args.channels, x,
               args.x + iy * window.in_w * args.ldx);
  }
}

}  // namespace

void col2im(const Col2imArgs& args) {
  const std::size_t width = args.window.kernel_h * args.window.kernel_w * args.channels;
  const float* columns = args.columns;
  for (std::size_t pixel = args.pixel_begin; pixel < args.pixel_end; ++pixel, columns += width) {
    window_at(args, columns, pixel / args.window.out_w, pixel % args.window.out_w);
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
