#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// input, for each input row: zeros; then for each vector of channels, for each tap that output
// pixels read the row through: the weight in a register, dy times weight added along the row.
// weight, for each tap, for each vector of channels: for each output row, kSums output pixels at a
// time: dy times input added to as many sums, in registers; then their sum is added to dw.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// Independent sums, to hide the latency of a multiply-add: 2 a cycle x 4 cycles.
constexpr std::size_t kSums = 8;

// Along one axis, the outputs in [begin, end) whose tap reads inside of the image.
struct Span {
  std::size_t begin, end;
};

// One axis of a window.
struct Axis {
  std::size_t in, out, stride, dilation, pad;

  Span readers(std::size_t tap) const {
    const std::size_t reach = tap * dilation;
    if (reach >= pad + in) {
      return {0, 0};
    }
    const std::size_t begin = reach < pad ? divide_up(pad - reach, stride) : 0;
    const std::size_t end = divide_up(pad + in - reach, stride);
    return {begin, end < out ? end : out};
  }
  std::size_t input(std::size_t output, std::size_t tap) const {
    return output * stride + tap * dilation - pad;
  }
};

Axis vertical(const Window& window) {
  return {window.in_h, window.out_h, window.stride_h, window.dilation_h, window.pad_top};
}
Axis horizontal(const Window& window) {
  return {window.in_w, window.out_w, window.stride_w, window.dilation_w, window.pad_left};
}

// Adds what output row oy gives to an input row through the taps (ky, kx).
void add_row(const DepthwiseInputGradientArgs& args, std::size_t ky, std::size_t oy, float* dx) {
  const Window& window = args.window;
  const Axis axis = horizontal(window);
  const std::size_t channels = args.channels;
  const std::size_t step = window.stride_w * channels;
  for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
    const Span span = axis.readers(kx);
    const float* w = args.w + (ky * window.kernel_w + kx) * channels;
    const float* first_dy = args.dy + (oy * window.out_w + span.begin) * channels;
    float* first_dx = dx + axis.input(span.begin, kx) * channels;
    for_lanes(channels, [&](std::size_t c, auto lanes) {
      const Vec weight = load(w + c, lanes);
      const float* from = first_dy + c;
      float* to = first_dx + c;
      for (std::size_t ox = span.begin; ox < span.end; ++ox) {
        store(to, fma(load(from, lanes), weight, load(to, lanes)), lanes);
        from += channels;
        to += step;
      }
    });
  }
}

// The sum of `count` products, lane by lane.
template <class Lanes>
LAMINA_INLINE Vec sum_of_row(const float* a, std::size_t a_step, const float* b, std::size_t b_step,
                             std::size_t count, Lanes lanes) {
  Vec sum = broadcast(0.0f);
  if (count >= kSums) {
    Vec sums[kSums];
    LAMINA_UNROLL
    for (std::size_t i = 0; i < kSums; ++i) {
      sums[i] = broadcast(0.0f);
    }
    for (; count >= kSums; count -= kSums) {
      LAMINA_UNROLL
      for (std::size_t i = 0; i < kSums; ++i) {
        sums[i] = fma(load(a, lanes), load(b, lanes), sums[i]);
        a += a_step;
        b += b_step;
      }
    }
    LAMINA_UNROLL
    for (std::size_t i = 0; i < kSums; ++i) {
      sum += sums[i];
    }
  }
  for (; count > 0; --count) {
    sum = fma(load(a, lanes), load(b, lanes), sum);
    a += a_step;
    b += b_step;
  }
  return sum;
}

struct Tap {
  std::size_t y, x;
};

// Adds to one tap's dw what the outputs give in these rows and columns, none of them empty.
void add_tap(const DepthwiseWeightGradientArgs& args, Tap tap, Span rows, Span columns) {
  const Window& window = args.window;
  const std::size_t iy = vertical(window).input(rows.begin, tap.y);
  const std::size_t ix = horizontal(window).input(columns.begin, tap.x);
  const std::size_t channels = args.channels;
  const std::size_t count = columns.end - columns.begin;
  const std::size_t x_pixel = window.stride_w * channels;
  const std::size_t x_row = window.stride_h * window.in_w * channels;
  const std::size_t dy_row = window.out_w * channels;
  const float* first_dy = args.dy + (rows.begin * window.out_w + columns.begin) * channels;
  const float* first_x = args.x + (iy * window.in_w + ix) * channels;
  float* dw = args.dw + (tap.y * window.kernel_w + tap.x) * channels;
  for_lanes(channels, [&](std::size_t c, auto lanes) {
    const float* dy = first_dy + c;
    const float* x = first_x + c;
    Vec sum = broadcast(0.0f);
    for (std::size_t oy = rows.begin; oy < rows.end; ++oy) {
      sum += sum_of_row(dy, channels, x, x_pixel, count, lanes);
      dy += dy_row;
      x += x_row;
    }
    store(dw + c, load(dw + c, lanes) + sum, lanes);
  });
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
  const Axis x_axis = horizontal(window);
  const Axis y_axis = vertical(window);
  for (std::size_t ky = 0; ky < window.kernel_h; ++ky) {
    Span rows = y_axis.readers(ky);
    rows.begin = rows.begin < args.row_begin ? args.row_begin : rows.begin;
    rows.end = rows.end < args.row_end ? rows.end : args.row_end;
    for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
      const Span columns = x_axis.readers(kx);
      if (rows.begin < rows.end && columns.begin < columns.end) {
        add_tap(args, {ky, kx}, rows, columns);
      }
    }
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
