#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// input, for each input row: zeros; then for each vector of channels, for each tap that output
// pixels read the row through: the weight in a register, dy times weight added along the row.
// weight, for each vector of channels, for each tap: for each output row, kSums output pixels at a
// time: dy times input added to as many sums, in registers; then their sum is added to dw.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// Independent sums, to hide the latency of a multiply-add: 2 a cycle x 4 cycles.
constexpr std::size_t kSums = 8;

// The outputs along a row whose tap reads inside of the image, perhaps none, and the input that the
// first of them reads.
struct Span {
  std::size_t begin, end;
  std::size_t in;
};

Span span_of_tap(const Window& window, std::size_t kx) {
  const std::size_t reach = kx * window.dilation_w;
  const std::size_t before = window.pad_left;
  if (reach >= before + window.in_w) {
    return {0, 0, 0};
  }
  const std::size_t begin = reach < before ? divide_up(before - reach, window.stride_w) : 0;
  const std::size_t end = divide_up(before + window.in_w - reach, window.stride_w);
  return {begin, end < window.out_w ? end : window.out_w, begin * window.stride_w + reach - before};
}

// Adds what output row oy gives to an input row through the taps (ky, kx).
void add_row(const DepthwiseInputGradientArgs& args, std::size_t ky, std::size_t oy, float* dx) {
  const Window& window = args.window;
  const std::size_t step = window.stride_w * args.channels;
  for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
    const Span span = span_of_tap(window, kx);
    const float* w = args.w + (ky * window.kernel_w + kx) * args.channels;
    for_lanes(args.channels, [&](std::size_t c, auto lanes) {
      const Vec weight = load(w + c, lanes);
      const float* dy = args.dy + (oy * window.out_w + span.begin) * args.channels + c;
      float* to = dx + span.in * args.channels + c;
      for (std::size_t ox = span.begin; ox < span.end; ++ox) {
        store(to, fma(load(dy, lanes), weight, load(to, lanes)), lanes);
        dy += args.channels;
        to += step;
      }
    });
  }
}

// The sum over the output rows of one tap's products; lane by lane.
template <class Lanes>
LAMINA_INLINE Vec sum_of_tap(const DepthwiseWeightGradientArgs& args, std::size_t ky,
                             const Span& span, std::size_t c, Lanes lanes) {
  const Window& window = args.window;
  const std::size_t step = window.stride_w * args.channels;
  Vec sums[kSums];
  LAMINA_UNROLL
  for (std::size_t i = 0; i < kSums; ++i) {
    sums[i] = broadcast(0.0f);
  }
  for (std::size_t oy = args.row_begin; oy < args.row_end; ++oy) {
    const std::size_t iy = oy * window.stride_h + ky * window.dilation_h - window.pad_top;
    if (iy >= window.in_h) {
      continue;
    }
    const float* dy = args.dy + (oy * window.out_w + span.begin) * args.channels + c;
    const float* x = args.x + (iy * window.in_w + span.in) * args.channels + c;
    std::size_t ox = span.begin;
    for (; ox + kSums <= span.end; ox += kSums) {
      LAMINA_UNROLL
      for (std::size_t i = 0; i < kSums; ++i) {
        sums[i] = fma(load(dy, lanes), load(x, lanes), sums[i]);
        dy += args.channels;
        x += step;
      }
    }
    for (; ox < span.end; ++ox) {
      sums[0] = fma(load(dy, lanes), load(x, lanes), sums[0]);
      dy += args.channels;
      x += step;
    }
  }
  LAMINA_UNROLL
  for (std::size_t apart = kSums / 2; apart > 0; apart /= 2) {
    LAMINA_UNROLL
    for (std::size_t i = 0; i < apart; ++i) {
      sums[i] += sums[i + apart];
    }
  }
  return sums[0];
}

}  // namespace

void depthwise_input(const DepthwiseInputGradientArgs& args) {
  const Window& window = args.window;
  for (std::size_t iy = args.row_begin; iy < args.row_end; ++iy) {
    float* dx = args.dx + iy * window.in_w * args.channels;
    zeros(window.in_w * args.channels, dx);
    for (std::size_t ky = 0; ky < window.kernel_h; ++ky) {
      const std::size_t from = iy + window.pad_top - ky * window.dilation_h;
      const bool read = iy + window.pad_top >= ky * window.dilation_h &&
                        from % window.stride_h == 0 && from / window.stride_h < window.out_h;
      if (read) {
        add_row(args, ky, from / window.stride_h, dx);
      }
    }
  }
}

void depthwise_weight(const DepthwiseWeightGradientArgs& args) {
  const Window& window = args.window;
  for_lanes(args.channels, [&](std::size_t c, auto lanes) {
    float* dw = args.dw + c;
    for (std::size_t ky = 0; ky < window.kernel_h; ++ky) {
      for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
        const Vec sum = sum_of_tap(args, ky, span_of_tap(window, kx), c, lanes);
        store(dw, load(dw, lanes) + sum, lanes);
        dw += args.channels;
      }
    }
  });
}

}  // namespace lamina::kernels::LAMINA_ISA
