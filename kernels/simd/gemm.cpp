#include <utility>

#include "kernels/simd/functions.h"
#include "kernels/simd/gemm_pairs.h"
#include "kernels/simd/gemm_tile.h"
#include "kernels/simd/vec.h"

// For each panel of B (a few vectors of columns):
//   for each tile of up to kRows<NV> rows of A:
//     the tile of C starts as zeros, in registers;
//     for each p < k: NV vectors of B's row p, and one factor of each row of A: C += a * b;
//     add the bias, clamp, add the residual, store.
// A panel of B (k x 48 floats with AVX-512: 3 to 184 KB in MobileNetV2) stays in L1 or L2 while all
// rows of A stream past it; the tile of C is written once.
// Where a panel's last vector is half full (24 columns on AVX-512), rows go in pairs that share one
// vector for their halves: 3 multiply-adds for 2 x 24 columns, not 4.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// The most rows of a tile NV vectors wide. The accumulators, NV vectors of B and one factor of A
// must fit in the registers; at least 8 accumulators hide the latency of two multiply-adds a cycle
// that take 4. Every number of rows in MobileNetV2 at 224 pixels is a multiple of 7.
#if LAMINA_ISA_IS == LAMINA_ISA_avx512
constexpr int kRowsOf[] = {0, 28, 14, 9, 7};
#elif LAMINA_ISA_IS == LAMINA_ISA_neon
constexpr int kRowsOf[] = {0, 14, 12, 8, 6};
#else
constexpr int kRowsOf[] = {0, 8, 6, 4, 3};
#endif

// The most pairs of rows of a tile with that many full vectors and a half.
constexpr int kPairsOf[] = {0, 7, 5, 3};

// Multiplies that many tiles, one below the other, and moves on to the next.
using MultiplyTiles = void (*)(Tile&);

template <int rows, int NV>
void multiply_tiles(Tile& t) {
  multiply<NV>(t, std::make_integer_sequence<int, rows>{});
}

template <int pairs, int NV>
void multiply_pair_tiles(Tile& t) {
  if constexpr (kHasHalves) {
    multiply_pairs<NV>(t, std::make_integer_sequence<int, pairs>{});
  }
}

template <int NV, int... i>
MultiplyTiles pick_rows(std::size_t rows, std::integer_sequence<int, i...>) {
  static constexpr MultiplyTiles kTiles[] = {multiply_tiles<i + 1, NV>...};
  return kTiles[rows - 1];
}

template <int NV, int... i>
MultiplyTiles pick_pairs(std::size_t pairs, std::integer_sequence<int, i...>) {
  static constexpr MultiplyTiles kTiles[] = {multiply_pair_tiles<i + 1, NV>...};
  return kTiles[pairs - 1];
}

MultiplyTiles pick_rows(std::size_t rows, std::size_t vectors) {
  switch (vectors) {
    case 1:
      return pick_rows<1>(rows, std::make_integer_sequence<int, kRowsOf[1]>{});
    case 2:
      return pick_rows<2>(rows, std::make_integer_sequence<int, kRowsOf[2]>{});
    case 3:
      return pick_rows<3>(rows, std::make_integer_sequence<int, kRowsOf[3]>{});
    default:
      return pick_rows<4>(rows, std::make_integer_sequence<int, kRowsOf[4]>{});
  }
}

MultiplyTiles pick_pairs(std::size_t pairs, std::size_t full_vectors) {
  switch (full_vectors) {
    case 1:
      return pick_pairs<1>(pairs, std::make_integer_sequence<int, kPairsOf[1]>{});
    case 2:
      return pick_pairs<2>(pairs, std::make_integer_sequence<int, kPairsOf[2]>{});
    default:
      return pick_pairs<3>(pairs, std::make_integer_sequence<int, kPairsOf[3]>{});
  }
}

constexpr std::size_t kLine = 64;  // bytes that a prefetch brings

// A panel of B, and what is to be fetched while it is in use.
struct Panel {
  const float* values;
  const char* ahead;
  std::size_t ahead_bytes;
};

// `count` rows or pairs of rows in tiles of nearly equal height, at most `most`: 49 rows are
// 13 + 12 + 12 + 12, because a low last tile would not hide the latency. Each tile fetches its
// share of what comes next.
template <class Pick>
void run_tiles(Tile& tile, const Panel& panel, std::size_t count, std::size_t most,
               const Pick& pick_tiles) {
  if (count == 0) {
    return;
  }
  const std::size_t tiles = divide_up(count, most);
  const std::size_t low = count / tiles;
  const std::size_t higher = count - low * tiles;
  const std::size_t share = panel.ahead_bytes / tiles;
  const std::size_t depth = tile.k * static_cast<std::size_t>(tile.segment_end - tile.segment);
  tile.ahead = panel.ahead;
  tile.ahead_share = static_cast<std::ptrdiff_t>(share);
  tile.ahead_step = static_cast<std::ptrdiff_t>(share / depth < kLine ? share / depth : kLine);
  if (higher > 0) {
    tile.count = higher;
    pick_tiles(low + 1)(tile);
  }
  tile.count = tiles - higher;
  pick_tiles(low)(tile);
}

void multiply_panel(Tile& tile, const Panel& panel, std::size_t m, std::size_t vectors) {
  if (kHasHalves && tile.last == kLanes / 2 && vectors > 1) {
    const std::size_t most = static_cast<std::size_t>(kPairsOf[vectors - 1]);
    run_tiles(tile, panel, m / 2, most, [&](std::size_t n) { return pick_pairs(n, vectors - 1); });
    m %= 2;
  }
  const std::size_t most = static_cast<std::size_t>(kRowsOf[vectors]);
  run_tiles(tile, panel, m, most, [&](std::size_t n) { return pick_rows(n, vectors); });
}

// A product without any factors: the clamped bias, plus the residual.
void fill_panel(const Tile& t, std::size_t m, std::size_t columns) {
  const Vec lo = broadcast(t.lo);
  const Vec hi = broadcast(t.hi);
  for (std::size_t i = 0; i < m; ++i) {
    for_lanes(columns, [&](std::size_t j, auto lanes) {
      const Vec bias = t.bias == nullptr ? broadcast(0.0f) : load(t.bias + j, lanes);
      Vec value = clamp(bias, lo, hi);
      if (t.residual != nullptr) {
        value = value + load(t.residual + i * t.ld_residual + j, lanes);
      }
      store(t.c + i * t.ldc + j, value, lanes);
    });
  }
}

// The next panel, which follows this one of `bytes`; or the panel's part of what the caller names,
// no more than a line for each step of k.
Panel panel_at(const GemmArgs& g, const float* values, std::size_t bytes, std::size_t column) {
  if (g.ahead == nullptr) {
    return {values, reinterpret_cast<const char*>(values) + bytes, bytes};
  }
  const std::size_t width = g.panel * kLanes;
  const std::size_t part = g.ahead_floats / divide_up(g.n, width);
  return {values, reinterpret_cast<const char*>(g.ahead + column / width * part),
          part * sizeof(float)};
}

constexpr std::size_t kRowsAhead = 16;

// One panel where the weights' rows run along n. Its part of a row is too short for the hardware to
// see where it goes on.
void pack_panel_of_rows(const PackArgs& p, std::size_t first, std::size_t used, float* panel) {
  const std::size_t width = round_up(used);
  const std::size_t half = kLanes / 2;
  for (std::size_t i = 0; i < p.k; ++i, panel += width) {
    const float* row = p.b + first + i * p.stride_k;
    for_lanes(used, [&](std::size_t j, auto lanes) {
      prefetch_l2(row + kRowsAhead * p.stride_k + j);
      store(panel + j, load(row + j, lanes));
    });
    for (std::size_t j = used; j < width; ++j) {
      panel[j] = kHasHalves && width - used == half ? panel[j - half] : 0.0f;
    }
  }
}

// One panel, 4 x 4 values at a time where the weights' rows run along k.
void pack_panel(const PackArgs& p, std::size_t first, std::size_t used, float* panel) {
  if (p.stride_n == 1) {
    return pack_panel_of_rows(p, first, used, panel);
  }
  const std::size_t width = round_up(used);
  const std::size_t blocks_k = p.stride_k == 1 ? p.k / 4 * 4 : 0;
  const std::size_t blocks_n = used / 4 * 4;
  const float* b = p.b + first * p.stride_n;
  for (std::size_t j = 0; j < blocks_n; j += 4) {
    for (std::size_t i = 0; i < blocks_k; i += 4) {
      prefetch_l2(b + (j + 4 + i / 4 % 4) * p.stride_n + i);  // the next four rows
      transpose4x4(b + j * p.stride_n + i, p.stride_n, panel + i * width + j, width);
    }
  }
  for (std::size_t i = 0; i < p.k; ++i) {
    for (std::size_t j = i < blocks_k ? blocks_n : 0; j < used; ++j) {
      panel[i * width + j] = b[j * p.stride_n + i * p.stride_k];
    }
    const std::size_t half = kLanes / 2;
    for (std::size_t j = used; j < width; ++j) {
      panel[i * width + j] = kHasHalves && width - used == half ? panel[i * width + j - half] : 0;
    }
  }
}

}  // namespace

std::size_t packed_size(std::size_t n, std::size_t k) { return round_up(n) * k; }

// Three vectors suit best where they fill up: their tile needs the fewest loads per multiply-add.
std::size_t best_panel(std::size_t n) {
  const std::size_t vectors = divide_up(n, kLanes);
  return vectors == 1 ? 1 : vectors == 2 || vectors == 4 ? 2 : 3;
}

void pack(const PackArgs& p) {
  const std::size_t width = p.panel * kLanes;
  for (std::size_t column = 0; column < p.n; column += width) {
    const std::size_t used = p.n - column < width ? p.n - column : width;
    pack_panel(p, column, used, p.packed + column * p.k);
  }
}

void gemm(const GemmArgs& g) { gemm_segments(g, &g.a, 1); }

void gemm_segments(const GemmArgs& g, const float* const* a, std::size_t segments) {
  const std::size_t width = g.panel * kLanes;
  for (std::size_t column = 0; column < g.n; column += width) {
    const std::size_t used = g.n - column < width ? g.n - column : width;
    const std::size_t vectors = divide_up(used, kLanes);
    const std::size_t piece = vectors * kLanes * g.k;
    const Panel panel =
        panel_at(g, g.packed + column * g.k * segments, piece * segments * sizeof(float), column);
    Segment live[kMaxFirstTaps];
    std::size_t count = 0;
    for (std::size_t i = 0; i < segments; ++i) {
      if (a[i] != nullptr && g.k > 0) {
        live[count++] = {a[i], panel.values + i * piece};
      }
    }
    Tile tile = {.segment = live,
                 .segment_end = live + count,
                 .k = g.k,
                 .a_offset = 0,
                 .lda = static_cast<std::ptrdiff_t>(g.lda * sizeof(float)),
                 .count = 0,
                 .bias = g.bias == nullptr ? nullptr : g.bias + column,
                 .residual = g.residual == nullptr ? nullptr : g.residual + column,
                 .ld_residual = g.ld_residual,
                 .c = g.c + column,
                 .ldc = g.ldc,
                 .lo = g.lo,
                 .hi = g.hi,
                 .last = used - (vectors - 1) * kLanes,
                 .ahead = nullptr,
                 .ahead_share = 0,
                 .ahead_step = 0};
    if (count == 0) {
      fill_panel(tile, g.m, used);
    } else {
      multiply_panel(tile, panel, g.m, vectors);
    }
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
