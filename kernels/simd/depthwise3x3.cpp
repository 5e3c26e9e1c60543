#include <utility>

#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each 96 channels, for each output row, or two at stride 1 where there are registers enough:
//   for each tile of up to kColumns output pixels:
//     for each vector of channels: the sums start as the bias, in registers;
//       for each input row under the tile, for each input pixel of that row:
//         load it once and add it to every sum that it reaches; clamp, store.
// A pixel is loaded once per tile instead of once per tap. The taps of one sum arrive in the order
// (ky, kx), so the tiling does not change the bits.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// 7 divides every width of MobileNetV2 at 224 pixels. With 32 registers 14 sums hide the latency of
// the multiply-adds; they, 3 or 6 weights and a pixel fit.
template <int rows>
constexpr int kColumns = kRegisters == 32 ? 14 / rows : 7;
constexpr int kTaps = 3;

// Few enough for the rows under one output row to wait in L1 for the next.
constexpr std::size_t kChannelsAtOnce = 96;

// Walks along a row four pixels at a time: pixels 1 to 3 have addresses that one x86 instruction
// can form. Compilers make each address from the one before, which holds the loads back to one a
// cycle.
class PixelWalk {
 public:
  PixelWalk(const float* first, std::ptrdiff_t bytes)
      : at_(reinterpret_cast<std::ptrdiff_t>(first)), stride_(bytes), three_(3 * bytes) {
    opaque(three_);
  }

  // To be called for j = 0, 1, 2, ...
  LAMINA_INLINE const float* pixel(int j) {
    if (j > 0 && j % 4 == 0) {
      at_ += 4 * stride_;
      opaque(at_);
    }
    return reinterpret_cast<const float*>(at_ + (j % 4 == 3 ? three_ : j % 4 * stride_));
  }

 private:
  std::ptrdiff_t at_, stride_, three_;
};

// Equal tiles next to each other in a row.
struct Tiles {
  std::size_t begin;  // first output column
  std::size_t count;
};

template <int stride, int columns, int rows>
struct Sums {
  static constexpr int kInRows = (rows - 1) * stride + kTaps;
  static constexpr int kInColumns = (columns - 1) * stride + kTaps;
  Vec value[rows][columns];

  // Input pixel (r, j) of the tile reaches the outputs whose window holds it.
  LAMINA_INLINE void add(Vec x, int r, int j, const Vec (&w)[rows][kTaps]) {
    LAMINA_UNROLL
    for (int i = 0; i < rows; ++i) {
      if (r < i * stride || r >= i * stride + kTaps) {
        continue;
      }
      LAMINA_UNROLL
      for (int kx = 0; kx < kTaps; ++kx) {
        if (j >= kx && (j - kx) % stride == 0 && (j - kx) / stride < columns) {
          Vec& sum = value[i][(j - kx) / stride];
          sum = fma(x, w[i][kx], sum);
        }
      }
    }
  }
};

// The weights of each output row's window that lie over input row r.
template <int stride, int rows, class Lanes>
LAMINA_INLINE void load_weights(const DepthwiseRows& strip, std::size_t c, int r, Lanes lanes,
                                Vec (&w)[rows][kTaps]) {
  LAMINA_UNROLL
  for (int i = 0; i < rows; ++i) {
    const int ky = r - i * stride;
    if (ky >= 0 && ky < kTaps) {
      LAMINA_UNROLL
      for (int kx = 0; kx < kTaps; ++kx) {
        const std::ptrdiff_t tap = ky * kTaps + kx;
        w[i][kx] = load(strip.w + tap * strip.w_tap + c, lanes);
      }
    }
  }
}

template <int stride, int columns, int rows, class Lanes>
LAMINA_INLINE void tile(const DepthwiseRows& strip, std::size_t c, std::size_t ox, Lanes lanes) {
  using TileSums = Sums<stride, columns, rows>;
  const std::ptrdiff_t pixel = static_cast<std::ptrdiff_t>(strip.in_pixel);
  const std::ptrdiff_t bytes = pixel * static_cast<std::ptrdiff_t>(sizeof(float));
  const std::ptrdiff_t first =
      static_cast<std::ptrdiff_t>(ox * stride) - static_cast<std::ptrdiff_t>(strip.pad_left);
  const bool left_outside = first < 0;
  const bool right_outside = first + TileSums::kInColumns > static_cast<std::ptrdiff_t>(strip.in_w);
  const Vec bias = strip.bias == nullptr ? broadcast(0.0f) : load(strip.bias + c, lanes);
  TileSums sums;
  LAMINA_UNROLL
  for (int i = 0; i < rows; ++i) {
    LAMINA_UNROLL
    for (int j = 0; j < columns; ++j) {
      sums.value[i][j] = bias;
    }
  }
  LAMINA_UNROLL
  for (int r = 0; r < TileSums::kInRows; ++r) {
    if (strip.in[r] == nullptr) {
      continue;
    }
    Vec w[rows][kTaps];
    load_weights<stride>(strip, c, r, lanes, w);
    PixelWalk walk(strip.in[r] + first * pixel + static_cast<std::ptrdiff_t>(c), bytes);
    LAMINA_UNROLL
    for (int j = 0; j < TileSums::kInColumns; ++j) {
      const float* from = walk.pixel(j);
      if ((j == 0 && left_outside) || (j == TileSums::kInColumns - 1 && right_outside)) {
        continue;
      }
      Vec x = load(from, lanes);
      keep(x);
      sums.add(x, r, j, w);
    }
  }
  const Vec lo = broadcast(strip.lo);
  const Vec hi = broadcast(strip.hi);
  LAMINA_UNROLL
  for (int i = 0; i < rows; ++i) {
    float* out = strip.out[i] + ox * strip.out_pixel + c;
    LAMINA_UNROLL
    for (std::size_t j = 0; j < columns; ++j) {
      store(out + j * strip.out_pixel, clamp(sums.value[i][j], lo, hi), lanes);
    }
  }
}

template <int stride, int columns, int rows>
void run_tiles(const DepthwiseRows& strip, Tiles tiles) {
  std::size_t ox = tiles.begin;
  for (std::size_t t = 0; t < tiles.count; ++t, ox += columns) {
    for_lanes(strip.channels,
              [&](std::size_t c, auto lanes) { tile<stride, columns, rows>(strip, c, ox, lanes); });
  }
}

using RunTiles = void (*)(const DepthwiseRows&, Tiles);

template <int stride, int rows, int... i>
RunTiles pick(std::size_t columns, std::integer_sequence<int, i...>) {
  static constexpr RunTiles kRun[] = {run_tiles<stride, i + 1, rows>...};
  return kRun[columns - 1];
}

// A row's whole width, in tiles of nearly equal width: 8 columns are 4 + 4, not 7 + 1.
template <int stride, int rows>
void run_strip(const DepthwiseRows& strip) {
  const std::size_t width = strip.out_w;
  constexpr int kMost = kColumns<rows>;
  const auto sizes = std::make_integer_sequence<int, kMost>{};
  const std::size_t tiles = divide_up(width, kMost);
  if (width == tiles * kMost) {  // without waiting for a division
    pick<stride, rows>(kMost, sizes)(strip, {0, tiles});
    return;
  }
  const std::size_t narrow = width / tiles;
  const std::size_t wider = width % tiles;
  if (wider > 0) {
    pick<stride, rows>(narrow + 1, sizes)(strip, {0, wider});
  }
  pick<stride, rows>(narrow, sizes)(strip, {wider * (narrow + 1), tiles - wider});
}

// Output row oy and the next, `count` channels from `first` on.
DepthwiseRows rows_at(const DepthwiseArgs& args, std::size_t oy, std::size_t first,
                      std::size_t count) {
  const Window& window = args.window;
  float* out = args.y + oy * window.out_w * args.channels + first;
  DepthwiseRows rows = {.in = {},
                        .in_w = window.in_w,
                        .in_pixel = args.channels,
                        .out = {out, out + window.out_w * args.channels},
                        .out_w = window.out_w,
                        .out_pixel = args.channels,
                        .stride = window.stride_h,
                        .pad_left = window.pad_left,
                        .channels = count,
                        .w = args.w + first,
                        .w_tap = static_cast<std::ptrdiff_t>(args.channels),
                        .bias = args.bias == nullptr ? nullptr : args.bias + first,
                        .lo = args.lo,
                        .hi = args.hi};
  for (std::size_t r = 0; r < 4; ++r) {
    const std::size_t padded = oy * window.stride_h + r;
    const std::size_t y = padded - window.pad_top;
    if (padded >= window.pad_top && y < window.in_h) {
      rows.in[r] = args.x + y * window.in_w * args.channels + first;
    }
  }
  return rows;
}

}  // namespace

void depthwise3x3_rows(const DepthwiseRows& rows, std::size_t count) {
  if (rows.stride == 2) {
    run_strip<2, 1>(rows);
  } else if (count == 1) {
    run_strip<1, 1>(rows);
  } else {
    run_strip<1, static_cast<int>(kDepthwiseRowsAtOnce)>(rows);
  }
}

void depthwise3x3(const DepthwiseArgs& args) {
  if (args.window.out_w == 0) {
    return;
  }
  const std::size_t most = args.window.stride_h == 1 ? kDepthwiseRowsAtOnce : 1;
  for (std::size_t c = 0; c < args.channels; c += kChannelsAtOnce) {
    const std::size_t rest = args.channels - c;
    const std::size_t channels = rest < kChannelsAtOnce ? rest : kChannelsAtOnce;
    for (std::size_t oy = args.row_begin; oy < args.row_end;) {
      const std::size_t count = args.row_end - oy < most ? 1 : most;
      depthwise3x3_rows(rows_at(args, oy, c, channels), count);
      oy += count;
    }
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
