#include <utility>

#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each strip of C, a few vectors of columns wide:
//   for each tile of a few rows of the strip:
//     the tile starts as zero, in registers;
//     for each p < k: the strip's vectors of B's row p, and one factor for each row of the tile,
//     which lie next to each other in A's row p: tile += a * b;
//     add the tile to C.
// The strip of B (k x 48 floats with AVX-512: 10 to 77 KB for the hundreds of rows that fit a
// float32 sum) stays in L1 or L2 while A streams past it.
// Where half a vector is left (24 columns on AVX-512), pairs of rows share one vector for it.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// The rows of a tile with so many vectors. The accumulators, the vectors of B and one factor must
// fit in the registers; at least 8 accumulators hide the latency of two multiply-adds a cycle that
// take 4. MobileNetV2's channels are multiples of 8.
#if LAMINA_ISA_IS == LAMINA_ISA_avx512
constexpr int kRowsOf[] = {0, 16, 8, 8};
#elif LAMINA_ISA_IS == LAMINA_ISA_neon
constexpr int kRowsOf[] = {0, 16, 8, 8};
#else
constexpr int kRowsOf[] = {0, 8, 6, 4};
#endif

// Rows that a lower tile takes: what full tiles leave would not hide the latency row by row.
constexpr int kLowRows = 4;

// Rows of the tile that is a vector and a half wide: 16 + 8 accumulators.
constexpr int kPairedRows = 16;

// What is left to fetch for the caller, a line for each step of k; once it is less than a tile's
// steps, a line that is there already.
struct Ahead {
  const float* next;
  std::size_t left;  // floats
  std::size_t step;  // floats; 0 at the end

  LAMINA_INLINE const float* take(std::size_t steps) {
    const float* begin = next;
    const std::size_t floats = steps * kLineFloats;
    step = left < floats ? 0 : kLineFloats;
    next += steps * step;
    left -= steps * step;
    return begin;
  }
};

struct Tile {
  std::size_t k;
  const float* a;
  std::size_t lda;
  const float* b;
  std::size_t ldb;
  float* c;
  std::size_t ldc;
  Ahead* ahead;

  Tile at(std::size_t row, std::size_t column) const {
    return {k, a + row, lda, b + column, ldb, c + row * ldc + column, ldc, ahead};
  }
};

LAMINA_INLINE Vec factor_at(const float* a, int row) {
  return broadcast_at(reinterpret_cast<const char*>(a + row));
}

LAMINA_INLINE void set_zero(Vec* sums, int count) {
  LAMINA_UNROLL
  for (int i = 0; i < count; ++i) {
    sums[i] = broadcast(0.0f);
  }
}

// C keeps its first `done` rows: they are another tile's.
template <int NV, int rows, class Lanes>
[[gnu::noinline]] void multiply(const Tile& t, std::size_t done, Lanes lanes) {
  Vec sums[rows][NV];
  LAMINA_UNROLL
  for (int i = 0; i < rows; ++i) {
    set_zero(sums[i], NV);
  }
  const float* a = t.a;
  const float* b = t.b;
  const float* ahead = t.ahead->take(t.k);
  const std::size_t ahead_step = t.ahead->step;
  for (std::size_t p = 0; p < t.k; ++p, a += t.lda, b += t.ldb, ahead += ahead_step) {
    prefetch_l2(ahead);
    Vec columns[NV];
    LAMINA_UNROLL
    for (int j = 0; j < NV; ++j) {
      columns[j] = load(b + static_cast<std::size_t>(j) * kLanes, lanes);
    }
    LAMINA_UNROLL
    for (int i = 0; i < rows; ++i) {
      const Vec factor = factor_at(a, i);
      LAMINA_UNROLL
      for (int j = 0; j < NV; ++j) {
        sums[i][j] = fma(factor, columns[j], sums[i][j]);
      }
    }
  }
  LAMINA_UNROLL
  for (std::size_t i = 0; i < rows; ++i) {
    if (i >= done) {
      LAMINA_UNROLL
      for (std::size_t j = 0; j < NV; ++j) {
        float* const to = t.c + i * t.ldc + j * kLanes;
        store(to, load(to, lanes) + sums[i][j], lanes);
      }
    }
  }
}

// A vector and a half of columns. The half of row 2 i lies below that of row 2 i + 1.
void multiply_pairs(const Tile& t) {
  if constexpr (kHasHalves) {
    constexpr int kPairs = kPairedRows / 2;
    Vec sums[kPairedRows];
    Vec halves[kPairs];
    set_zero(sums, kPairedRows);
    set_zero(halves, kPairs);
    const float* a = t.a;
    const float* b = t.b;
    const float* ahead = t.ahead->take(t.k);
    const std::size_t ahead_step = t.ahead->step;
    for (std::size_t p = 0; p < t.k; ++p, a += t.lda, b += t.ldb, ahead += ahead_step) {
      prefetch_l2(ahead);
      const Vec column = load(b);
      const Vec twice = load_halves(b + kLanes, b + kLanes);
      LAMINA_UNROLL
      for (int i = 0; i < kPairs; ++i) {
        const Vec even = factor_at(a, 2 * i);
        const Vec odd = factor_at(a, 2 * i + 1);
        sums[2 * i] = fma(even, column, sums[2 * i]);
        sums[2 * i + 1] = fma(odd, column, sums[2 * i + 1]);
        halves[i] = fma(join_halves(even, odd), twice, halves[i]);
      }
    }
    LAMINA_UNROLL
    for (std::size_t i = 0; i < kPairs; ++i) {
      float* const even = t.c + 2 * i * t.ldc;
      float* const odd = even + t.ldc;
      store(even, load(even) + sums[2 * i]);
      store(odd, load(odd) + sums[2 * i + 1]);
      store_halves(even + kLanes, odd + kLanes,
                   load_halves(even + kLanes, odd + kLanes) + halves[i]);
    }
  }
}

// Rows from `row` on in tiles of `rows`, as many as fit; returns the first row left.
template <int NV, int rows, class Lanes>
std::size_t run_tiles(const Tile& strip, std::size_t row, std::size_t m, Lanes lanes) {
  for (; row + rows <= m; row += rows) {
    multiply<NV, rows>(strip.at(row, 0), 0, lanes);
  }
  return row;
}

// The last rows of m >= rows, from `row` on, in a tile that reaches back over rows that are done.
template <int NV, int rows, class Lanes>
void run_last_tile(const Tile& strip, std::size_t row, std::size_t m, Lanes lanes) {
  multiply<NV, rows>(strip.at(m - rows, 0), row + rows - m, lanes);
}

template <int NV, class Lanes>
void run_strip(const Tile& strip, std::size_t m, Lanes lanes) {
  constexpr int kRows = kRowsOf[NV];
  std::size_t row = run_tiles<NV, kRows>(strip, 0, m, lanes);
  if (m >= kRows && m - row > kLowRows) {
    return run_last_tile<NV, kRows>(strip, row, m, lanes);
  }
  row = run_tiles<NV, kLowRows>(strip, row, m, lanes);
  if (m >= kLowRows && m > row) {
    return run_last_tile<NV, kLowRows>(strip, row, m, lanes);
  }
  run_tiles<NV, 1>(strip, row, m, lanes);
}

// A vector and a half of columns, all rows.
void run_half_strip(const Tile& strip, std::size_t m) {
  std::size_t row = 0;
  for (; row + kPairedRows <= m; row += kPairedRows) {
    multiply_pairs(strip.at(row, 0));
  }
  run_strip<1>(strip.at(row, 0), m - row, AllLanes{});
  run_strip<1>(strip.at(row, kLanes), m - row, SomeLanes{kLanes / 2});
}

}  // namespace

void gemm_tn(const GemmTnArgs& g) {
  Ahead ahead = {g.ahead == nullptr ? g.a : g.ahead, g.ahead == nullptr ? 0 : g.ahead_floats, 0};
  const Tile tile = {g.k, g.a, g.lda, g.b, g.ldb, g.c, g.ldc, &ahead};
  constexpr std::size_t kHalfStrip = kLanes + kLanes / 2;
  const bool half = kHasHalves && g.n >= kHalfStrip && g.n % kLanes == kLanes / 2;
  const std::size_t whole = half ? g.n - kHalfStrip : g.n;
  std::size_t j = 0;
  for (; j + 3 * kLanes <= whole; j += 3 * kLanes) {
    run_strip<3>(tile.at(0, j), g.m, AllLanes{});
  }
  for (; j + 2 * kLanes <= whole; j += 2 * kLanes) {
    run_strip<2>(tile.at(0, j), g.m, AllLanes{});
  }
  for (; j + kLanes <= whole; j += kLanes) {
    run_strip<1>(tile.at(0, j), g.m, AllLanes{});
  }
  if (half) {
    return run_half_strip(tile.at(0, j), g.m);
  }
  if (j < g.n) {
    run_strip<1>(tile.at(0, j), g.m, SomeLanes{g.n - j});
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
