#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each output row, for each vector of channels:
//   for each group of kPixels output pixels: the sums start as the bias, in registers;
//     for each tap (ky, kx): load the weight once, add weight times input to every pixel's sum
//     whose tap is inside of the image; clamp, store.
// A sum's taps arrive in the order (ky, kx) whatever the group, so grouping does not change the
// bits.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// Independent sums, to hide the latency of a multiply-add: 2 a cycle x 4 cycles.
constexpr int kPixels = 8;

// One vector of channels of one output row.
template <class Lanes>
struct Strip {
  const DepthwiseArgs& args;
  std::size_t c;
  std::size_t oy;
  Lanes lanes;

  // Sums of the outputs from ox on: the taps of window row ky, over the input row at x.
  template <int pixels>
  LAMINA_INLINE void add_row(const float* x, std::size_t ky, std::size_t ox, Vec* sums) const {
    const Window& window = args.window;
    for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
      const Vec w = load(args.w + (ky * window.kernel_w + kx) * args.channels + c, lanes);
      LAMINA_UNROLL
      for (int i = 0; i < pixels; ++i) {
        // Left of the image this wraps around to a huge number: one comparison does for both sides.
        const std::size_t ix = (ox + static_cast<std::size_t>(i)) * window.stride_w +
                               kx * window.dilation_w - window.pad_left;
        if (ix < window.in_w) {
          sums[i] = fma(load(x + ix * args.channels, lanes), w, sums[i]);
        }
      }
    }
  }

  template <int pixels>
  LAMINA_INLINE void run(std::size_t ox) const {
    const Window& window = args.window;
    const Vec bias = args.bias == nullptr ? broadcast(0.0f) : load(args.bias + c, lanes);
    Vec sums[pixels];
    LAMINA_UNROLL
    for (int i = 0; i < pixels; ++i) {
      sums[i] = bias;
    }
    for (std::size_t ky = 0; ky < window.kernel_h; ++ky) {
      const std::size_t iy = oy * window.stride_h + ky * window.dilation_h - window.pad_top;
      if (iy < window.in_h) {
        add_row<pixels>(args.x + iy * window.in_w * args.channels + c, ky, ox, sums);
      }
    }
    float* y = args.y + (oy * window.out_w + ox) * args.channels + c;
    LAMINA_UNROLL
    for (int i = 0; i < pixels; ++i) {
      store(y, clamp(sums[i], broadcast(args.lo), broadcast(args.hi)), lanes);
      y += args.channels;
    }
  }
};

}  // namespace

void depthwise(const DepthwiseArgs& args) {
  for (std::size_t oy = args.row_begin; oy < args.row_end; ++oy) {
    for_lanes(args.channels, [&](std::size_t c, auto lanes) {
      const Strip<decltype(lanes)> strip = {args, c, oy, lanes};
      std::size_t ox = 0;
      for (; ox + kPixels <= args.window.out_w; ox += kPixels) {
        strip.template run<kPixels>(ox);
      }
      for (; ox < args.window.out_w; ++ox) {
        strip.template run<1>(ox);
      }
    });
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
