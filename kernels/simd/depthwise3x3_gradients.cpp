#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// input, stride 1, padding 1 left and right: the forward kernel over dy, with the taps turned by
// half a turn. Stride 2, for each input row, for each vector of channels: the weights in registers;
//   for each output column: load dy of the one or two output rows that read the input row, together
//   with the column before it makes two input pixels: store them.
// weight, for each eight output rows, for each vector of channels: nine sums in registers;
//   for each output row, or two: for each output column: load dy; for each input row under them:
//     load the stride's input pixels, add each times every dy that it meets to that tap's sum;
//   the sums are added to dw.
// A single output pixel, fewer channels than lanes, other paddings at stride 1: as any window.
namespace lamina::kernels::LAMINA_ISA {
namespace {

constexpr int kTaps = 3;

// Output columns that read the same input column.
template <int stride>
constexpr int kReach = (kTaps - 1) / stride + 1;

// The columns of a window, and its channels: copies, for no store of a vector to change.
struct Columns {
  std::size_t in, out, pad;
  std::ptrdiff_t channels;
};

Columns columns_of(const Window& window, std::size_t channels) {
  return {window.in_w, window.out_w, window.pad_left, static_cast<std::ptrdiff_t>(channels)};
}

// Output rows taken at once by weight: nine sums, their dy and an input pixel fit.
template <int stride>
constexpr int kRows = kRegisters == 32 || stride == 2 ? 2 : 1;

// Output rows next to each other and the input rows under them.
template <int stride, int rows>
struct Strip {
  static constexpr int kInRows = (rows - 1) * stride + kTaps;
  const float* x[kInRows];  // null outside of the image
  const float* dy[rows];
};

template <int stride, int rows>
Strip<stride, rows> strip_at(const DepthwiseWeightGradientArgs& args, std::size_t oy) {
  const Window& window = args.window;
  Strip<stride, rows> strip = {};
  for (std::size_t r = 0; r < strip.kInRows; ++r) {
    const std::size_t iy = oy * stride + r - window.pad_top;
    if (iy < window.in_h) {
      strip.x[r] = args.x + iy * window.in_w * args.channels;
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    strip.dy[i] = args.dy + (oy + i) * window.out_w * args.channels;
  }
  return strip;
}

// The steps along a strip, for one vector of channels.
template <int stride, int rows>
struct Walk {
  const Strip<stride, rows>& strip;
  Columns columns;
  Vec dy[rows][kReach<stride>];  // of output column n, n - 1, ...

  // Step n: input pixels stride * n - pad and on, the first `at` floats into its row. Near the
  // edges not all of them lie in the image, nor all columns that they meet.
  template <bool edge>
  LAMINA_INLINE void add(std::size_t n, std::ptrdiff_t at, Vec (&sums)[kTaps][kTaps]) {
    LAMINA_UNROLL
    for (int r = 0; r < strip.kInRows; ++r) {
      if (strip.x[r] == nullptr) {
        continue;
      }
      LAMINA_UNROLL
      for (int f = 0; f < stride; ++f) {
        if (edge && n * stride + static_cast<std::size_t>(f) - columns.pad >= columns.in) {
          continue;
        }
        Vec x = load(strip.x[r] + at + f * columns.channels);
        keep(x);
        LAMINA_UNROLL
        for (int k = 0; f + stride * k < kTaps; ++k) {
          if (edge && n - static_cast<std::size_t>(k) >= columns.out) {
            continue;
          }
          LAMINA_UNROLL
          for (int i = 0; i < rows; ++i) {
            const int ky = r - i * stride;
            if (ky >= 0 && ky < kTaps) {
              Vec& sum = sums[ky][f + stride * k];
              sum = fma(x, dy[i][k], sum);
            }
          }
        }
      }
    }
  }

  LAMINA_INLINE void run(std::size_t c, Vec (&sums)[kTaps][kTaps]) {
    std::ptrdiff_t dy_at = static_cast<std::ptrdiff_t>(c);
    std::ptrdiff_t at = dy_at - static_cast<std::ptrdiff_t>(columns.pad) * columns.channels;
    const std::size_t of_in = divide_up(columns.in + columns.pad, stride);
    const std::size_t of_out = columns.out + kReach<stride> - 1;
    const std::size_t end = of_in < of_out ? of_in : of_out;
    for (std::size_t n = 0; n < end; ++n) {
      LAMINA_UNROLL
      for (int i = 0; i < rows; ++i) {
        LAMINA_UNROLL
        for (int k = kReach<stride> - 1; k > 0; --k) {
          dy[i][k] = dy[i][k - 1];
        }
        if (n < columns.out) {
          dy[i][0] = load(strip.dy[i] + dy_at);
        }
      }
      if (n + 1 >= kReach<stride> && n < columns.out) {
        add<false>(n, at, sums);
      } else {
        add<true>(n, at, sums);
      }
      at += stride * columns.channels;
      dy_at += columns.channels;
    }
  }
};

// Calls step(c, overlap) for vectors of channels from c on that cover all `channels` >= kLanes: the
// last one begins `overlap` lanes before the end of the one before. A tail costs no code.
template <class Step>
LAMINA_INLINE void for_vectors(std::size_t channels, const Step& step) {
  for (std::size_t c = 0; c < channels; c += kLanes) {
    const std::size_t overlap = c + kLanes > channels ? c + kLanes - channels : 0;
    step(c - overlap, overlap);
  }
}

alignas(64) constexpr float kLane[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static_assert(sizeof(kLane) / sizeof(float) >= kLanes);

// Adds the sums to dw, without their first `overlap` lanes.
LAMINA_INLINE void add_sums(const Vec (&sums)[kTaps][kTaps], std::size_t overlap, float* dw,
                            std::size_t channels) {
  const Vec first = broadcast(static_cast<float>(overlap));
  LAMINA_UNROLL
  for (int tap = 0; tap < kTaps * kTaps; ++tap) {
    const Vec sum = zero_below(load(kLane), first, sums[tap / kTaps][tap % kTaps]);
    store(dw, load(dw) + sum);
    dw += channels;
  }
}

// Output rows that share one visit to dw.
constexpr std::size_t kRowsAtOnce = 8;

template <int stride>
void add_rows(const DepthwiseWeightGradientArgs& args, std::size_t begin, std::size_t end) {
  constexpr std::size_t kMost = kRows<stride>;
  const Columns columns = columns_of(args.window, args.channels);
  const std::size_t count = (end - begin) / kMost;
  const bool odd = (end - begin) % kMost != 0;
  Strip<stride, kMost> strips[kRowsAtOnce / kMost];
  for (std::size_t i = 0; i < count; ++i) {
    strips[i] = strip_at<stride, kMost>(args, begin + i * kMost);
  }
  const Strip<stride, 1> last = strip_at<stride, 1>(args, end - 1);
  for_vectors(args.channels, [&](std::size_t c, std::size_t overlap) {
    Vec sums[kTaps][kTaps];
    LAMINA_UNROLL
    for (int tap = 0; tap < kTaps * kTaps; ++tap) {
      sums[tap / kTaps][tap % kTaps] = broadcast(0.0f);
    }
    for (std::size_t i = 0; i < count; ++i) {
      Walk<stride, kMost>{strips[i], columns, {}}.run(c, sums);
    }
    if constexpr (kMost > 1) {
      if (odd) {
        Walk<stride, 1>{last, columns, {}}.run(c, sums);
      }
    }
    add_sums(sums, overlap, args.dw + c, args.channels);
  });
}

template <int stride>
void weight(const DepthwiseWeightGradientArgs& args) {
  for (std::size_t oy = args.row_begin; oy < args.row_end; oy += kRowsAtOnce) {
    add_rows<stride>(args, oy, oy + kRowsAtOnce < args.row_end ? oy + kRowsAtOnce : args.row_end);
  }
}

void input_stride1(const DepthwiseInputGradientArgs& args) {
  const Window& window = args.window;
  const std::size_t channels = args.channels;
  for (std::size_t iy = args.row_begin; iy < args.row_end;) {
    const std::size_t count = args.row_end - iy < kDepthwiseRowsAtOnce ? 1 : kDepthwiseRowsAtOnce;
    float* dx = args.dx + iy * window.in_w * channels;
    DepthwiseRows rows = {.in = {},
                          .in_w = window.out_w,
                          .in_pixel = channels,
                          .out = {dx, dx + window.in_w * channels},
                          .out_w = window.in_w,
                          .out_pixel = channels,
                          .stride = 1,
                          .pad_left = 1,
                          .channels = channels,
                          .w = args.w + 8 * channels,
                          .w_tap = -static_cast<std::ptrdiff_t>(channels),
                          .bias = nullptr,
                          .lo = -__builtin_inff(),
                          .hi = __builtin_inff()};
    for (std::size_t r = 0; r < count + kTaps - 1; ++r) {
      const std::size_t oy = iy + window.pad_top + r - (kTaps - 1);
      if (oy < window.out_h) {
        rows.in[r] = args.dy + oy * window.out_w * channels;
      }
    }
    depthwise3x3_rows(rows, count);
    iy += count;
  }
}

// The output rows that read one input row, and their taps' row of weights.
struct Readers {
  std::size_t count;
  const float* dy[2];
  const float* w[2];
};

Readers readers_of(const DepthwiseInputGradientArgs& args, std::size_t iy) {
  const std::size_t padded = iy + args.window.pad_top;
  Readers readers = {};
  for (std::size_t ky = padded % 2; ky < kTaps; ky += 2) {
    const std::size_t oy = (padded - ky) / 2;
    if (padded >= ky && oy < args.window.out_h) {
      readers.dy[readers.count] = args.dy + oy * args.window.out_w * args.channels;
      readers.w[readers.count] = args.w + ky * kTaps * args.channels;
      ++readers.count;
    }
  }
  return readers;
}

// One vector of channels of an input row that `rows` output rows read with stride 2.
template <int rows>
struct InputRow {
  Readers readers;
  Columns columns;
  Vec w[rows][kTaps];
  Vec dy[rows][2];  // of column n and n - 1

  // Input pixels 2n - pad and the next. Near the edges not both lie in the image, or not both
  // columns that they meet.
  template <bool edge>
  LAMINA_INLINE void store_pixels(std::size_t n, float* dx) const {
    const bool has[] = {!edge || n < columns.out, !edge || n - 1 < columns.out};
    Vec sums[] = {broadcast(0.0f), broadcast(0.0f)};
    LAMINA_UNROLL
    for (int i = 0; i < rows; ++i) {
      if (has[0]) {
        sums[0] = fma(dy[i][0], w[i][0], sums[0]);
        sums[1] = fma(dy[i][0], w[i][1], sums[1]);
      }
      if (has[1]) {
        sums[0] = fma(dy[i][1], w[i][2], sums[0]);
      }
    }
    LAMINA_UNROLL
    for (std::size_t f = 0; f < 2; ++f) {
      if (!edge || 2 * n + f - columns.pad < columns.in) {
        store(dx, sums[f]);
      }
      dx += columns.channels;
    }
  }

  LAMINA_INLINE void run(std::size_t c, float* dx) {
    LAMINA_UNROLL
    for (int i = 0; i < rows; ++i) {
      LAMINA_UNROLL
      for (int kx = 0; kx < kTaps; ++kx) {
        w[i][kx] = load(readers.w[i] + kx * columns.channels + c);
      }
    }
    const std::size_t whole = (columns.in + columns.pad) / 2;
    const std::size_t inside = columns.out < whole ? columns.out : whole;
    std::ptrdiff_t at = static_cast<std::ptrdiff_t>(c);
    dx += at - static_cast<std::ptrdiff_t>(columns.pad) * columns.channels;
    for (std::size_t n = 0; 2 * n < columns.in + columns.pad; ++n) {
      LAMINA_UNROLL
      for (int i = 0; i < rows; ++i) {
        dy[i][1] = dy[i][0];
        if (n < columns.out) {
          dy[i][0] = load(readers.dy[i] + at);
        }
      }
      if (n > 0 && n < inside) {
        store_pixels<false>(n, dx);
      } else {
        store_pixels<true>(n, dx);
      }
      at += columns.channels;
      dx += 2 * columns.channels;
    }
  }
};

template <int rows>
void input_row(const DepthwiseInputGradientArgs& args, const Readers& readers, float* dx) {
  const Columns columns = columns_of(args.window, args.channels);
  for_vectors(args.channels, [&](std::size_t c, std::size_t) {
    InputRow<rows>{readers, columns, {}, {}}.run(c, dx);
  });
}

void input_stride2(const DepthwiseInputGradientArgs& args) {
  const std::size_t row = args.window.in_w * args.channels;
  for (std::size_t iy = args.row_begin; iy < args.row_end; ++iy) {
    const Readers readers = readers_of(args, iy);
    float* dx = args.dx + iy * row;
    if (readers.count == 0) {
      zeros(row, dx);
    } else if (readers.count == 1) {
      input_row<1>(args, readers, dx);
    } else {
      input_row<2>(args, readers, dx);
    }
  }
}

}  // namespace

void depthwise3x3_input(const DepthwiseInputGradientArgs& args) {
  const Window& window = args.window;
  const bool one_pixel = window.out_h * window.out_w <= 1;
  const bool same_width = window.pad_left == 1 && window.in_w == window.out_w;
  if (window.stride_h == 2 && args.channels >= kLanes && !one_pixel) {
    input_stride2(args);
  } else if (window.stride_h == 1 && same_width && !one_pixel) {
    input_stride1(args);
  } else {
    depthwise_input(args);
  }
}

void depthwise3x3_weight(const DepthwiseWeightGradientArgs& args) {
  const bool one_pixel = args.window.out_w == 1 && args.row_end - args.row_begin == 1;
  if (one_pixel || args.channels < kLanes) {
    depthwise_weight(args);
  } else if (args.window.stride_h == 2) {
    weight<2>(args);
  } else {
    weight<1>(args);
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
