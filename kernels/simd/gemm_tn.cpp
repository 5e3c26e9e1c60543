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

struct Tile {
  std::size_t k;
  const float* a;
  std::size_t lda;
  const float* b;
  std::size_t ldb;
  float* c;
  std::size_t ldc;
};

template <int NV, int rows, class Lanes>
void multiply(const Tile& t, Lanes lanes) {
  Vec sums[rows][NV];
  LAMINA_UNROLL
  for (int i = 0; i < rows; ++i) {
    LAMINA_UNROLL
    for (int j = 0; j < NV; ++j) {
      sums[i][j] = broadcast(0.0f);
    }
  }
  const float* a = t.a;
  const float* b = t.b;
  for (std::size_t p = 0; p < t.k; ++p, a += t.lda, b += t.ldb) {
    Vec columns[NV];
    LAMINA_UNROLL
    for (int j = 0; j < NV; ++j) {
      columns[j] = load(b + static_cast<std::size_t>(j) * kLanes, lanes);
    }
    LAMINA_UNROLL
    for (int i = 0; i < rows; ++i) {
      const Vec factor = broadcast_at(reinterpret_cast<const char*>(a + i));
      LAMINA_UNROLL
      for (int j = 0; j < NV; ++j) {
        sums[i][j] = fma(factor, columns[j], sums[i][j]);
      }
    }
  }
  LAMINA_UNROLL
  for (int i = 0; i < rows; ++i) {
    float* c = t.c + static_cast<std::size_t>(i) * t.ldc;
    LAMINA_UNROLL
    for (int j = 0; j < NV; ++j) {
      float* to = c + static_cast<std::size_t>(j) * kLanes;
      store(to, load(to, lanes) + sums[i][j], lanes);
    }
  }
}

// As many tiles of `rows` rows as fit.
template <int NV, int rows, class Lanes>
void run_tiles(Tile& tile, std::size_t& m, Lanes lanes) {
  constexpr std::size_t kRows = rows;
  for (; m >= kRows; m -= kRows) {
    multiply<NV, rows>(tile, lanes);
    tile.a += kRows;
    tile.c += kRows * tile.ldc;
  }
}

template <int NV, class Lanes>
void run_strip(Tile tile, std::size_t m, Lanes lanes) {
  run_tiles<NV, kRowsOf[NV]>(tile, m, lanes);
  run_tiles<NV, 4>(tile, m, lanes);
  run_tiles<NV, 1>(tile, m, lanes);
}

}  // namespace

void gemm_tn(const GemmTnArgs& g) {
  Tile tile = {g.k, g.a, g.lda, g.b, g.ldb, g.c, g.ldc};
  std::size_t j = 0;
  const auto strips = [&](std::size_t vectors, auto run) {
    for (; j + vectors * kLanes <= g.n; j += vectors * kLanes) {
      tile.b = g.b + j;
      tile.c = g.c + j;
      run();
    }
  };
  strips(3, [&] { run_strip<3>(tile, g.m, AllLanes{}); });
  strips(2, [&] { run_strip<2>(tile, g.m, AllLanes{}); });
  strips(1, [&] { run_strip<1>(tile, g.m, AllLanes{}); });
  if (j < g.n) {
    tile.b = g.b + j;
    tile.c = g.c + j;
    run_strip<1>(tile, g.m, SomeLanes{g.n - j});
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
