#include <utility>

#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each panel of B (a few vectors of columns):
//   for each tile of up to kRows<NV> rows of A:
//     the tile of C starts as the bias, in registers;
//     for each p < k: NV vectors of B's row p, and one factor of each row of A: C += a * b;
//     clamp, add the residual, store.
// A panel of B (k x 32 floats: 4 to 120 KB in MobileNetV2) stays in L1 or L2 while all rows of A
// stream past it; the tile of C is written once.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// The most rows of a tile NV vectors wide. The accumulators, NV vectors of B and one factor of A
// must fit in the registers; at least 8 accumulators hide the latency of two multiply-adds a cycle
// that take 4. Every number of rows in MobileNetV2 at 224 pixels is a multiple of 7.
#if LAMINA_ISA_IS == LAMINA_ISA_avx512
constexpr int kRowsOf[] = {0, 14, 14, 9, 7};
#elif LAMINA_ISA_IS == LAMINA_ISA_neon
constexpr int kRowsOf[] = {0, 14, 12, 8, 6};
#else
constexpr int kRowsOf[] = {0, 8, 6, 4, 3};
#endif
constexpr std::size_t kMaxPanel = 4;

struct Tile {
  const float* a;
  std::ptrdiff_t lda;  // bytes
  const float* b;
  std::size_t k;
  const float* bias;
  const float* residual;
  std::size_t ld_residual;
  float* c;
  std::size_t ldc;
  float lo, hi;
  std::size_t last;  // lanes in use in the last vector of a row
};

// Rows of A as base + {1, 2, 4, 8} x an odd multiple of the stride, the addresses that one x86
// instruction can form: seven registers reach fifteen rows.
class RowAddress {
 public:
  RowAddress(std::ptrdiff_t stride, int rows) {
    LAMINA_UNROLL
    for (int i = 0; i < 7; ++i) {
      odd_[i] = (2 * i + 1) * stride;
      if (2 * i + 1 < rows) {
        opaque(odd_[i]);
      }
    }
  }

  template <int row>
  LAMINA_INLINE const float* at(const char* base) const {
    if constexpr (row == 0) {
      return reinterpret_cast<const float*>(base);
    } else {
      constexpr int power = row & -row;
      return reinterpret_cast<const float*>(base + odd_[row / power / 2] * power);
    }
  }

 private:
  std::ptrdiff_t odd_[7];
};

template <int NV, class Lanes>
LAMINA_INLINE void finish_row(const Tile& t, int row, const Vec* sums, Lanes last) {
  const Vec lo = broadcast(t.lo);
  const Vec hi = broadcast(t.hi);
  float* c = t.c + static_cast<std::size_t>(row) * t.ldc;
  const float* residual = t.residual + static_cast<std::size_t>(row) * t.ld_residual;
  LAMINA_UNROLL
  for (int j = 0; j < NV; ++j) {
    Vec value = clamp(sums[j], lo, hi);
    const std::size_t column = static_cast<std::size_t>(j) * kLanes;
    if (j + 1 < NV) {
      value = t.residual != nullptr ? value + load(residual + column) : value;
      store(c + column, value);
    } else {
      value = t.residual != nullptr ? value + load(residual + column, last) : value;
      store(c + column, value, last);
    }
  }
}

template <int NV>
LAMINA_INLINE void load_bias(const Tile& t, Vec* bias) {
  LAMINA_UNROLL
  for (int j = 0; j < NV; ++j) {
    const float* from = t.bias + static_cast<std::size_t>(j) * kLanes;
    if (t.bias == nullptr) {
      bias[j] = broadcast(0.0f);
    } else {
      bias[j] = j + 1 < NV || t.last == kLanes ? load(from) : load_first(from, t.last);
    }
  }
}

template <int NV>
LAMINA_INLINE void multiply_row(Vec factor, const Vec* columns, Vec* sums) {
  LAMINA_UNROLL
  for (int j = 0; j < NV; ++j) {
    sums[j] = fma(factor, columns[j], sums[j]);
  }
}

template <int NV, int... rows>
LAMINA_INLINE void multiply(const Tile& t, std::integer_sequence<int, rows...>) {
  constexpr int kRows = sizeof...(rows);
  Vec sums[kRows][NV];
  Vec bias[NV];
  load_bias<NV>(t, bias);
  LAMINA_UNROLL
  for (int i = 0; i < kRows; ++i) {
    LAMINA_UNROLL
    for (int j = 0; j < NV; ++j) {
      sums[i][j] = bias[j];
    }
  }
  const RowAddress row(t.lda, kRows);
  const char* a = reinterpret_cast<const char*>(t.a);
  const float* b = t.b;
  const float* const end = b + t.k * NV * kLanes;
  for (; b != end; b += NV * kLanes, a += sizeof(float)) {
    Vec columns[NV];
    LAMINA_UNROLL
    for (int j = 0; j < NV; ++j) {
      columns[j] = load(b + static_cast<std::size_t>(j) * kLanes);
    }
    (multiply_row<NV>(broadcast(*row.template at<rows>(a)), columns, sums[rows]), ...);
  }
  if (t.last == kLanes) {
    LAMINA_UNROLL
    for (int i = 0; i < kRows; ++i) {
      finish_row<NV>(t, i, sums[i], AllLanes{});
    }
  } else {
    LAMINA_UNROLL
    for (int i = 0; i < kRows; ++i) {
      finish_row<NV>(t, i, sums[i], SomeLanes{t.last});
    }
  }
}

using MultiplyTile = void (*)(const Tile&);

template <int rows, int NV>
void multiply_tile(const Tile& t) {
  multiply<NV>(t, std::make_integer_sequence<int, rows>{});
}

template <int NV, int... i>
MultiplyTile pick(std::size_t rows, std::integer_sequence<int, i...>) {
  static constexpr MultiplyTile kTiles[] = {multiply_tile<i + 1, NV>...};
  return kTiles[rows - 1];
}

template <int NV>
MultiplyTile pick(std::size_t rows) {
  return pick<NV>(rows, std::make_integer_sequence<int, kRowsOf[NV]>{});
}

MultiplyTile pick(std::size_t rows, std::size_t vectors) {
  switch (vectors) {
    case 1:
      return pick<1>(rows);
    case 2:
      return pick<2>(rows);
    case 3:
      return pick<3>(rows);
    default:
      return pick<4>(rows);
  }
}

// All rows of one panel, in tiles of nearly equal height: 49 rows are 13 + 12 + 12 + 12, because
// a low last tile would not hide the latency.
void multiply_panel(Tile tile, std::size_t m, std::size_t vectors) {
  const std::size_t most = static_cast<std::size_t>(kRowsOf[vectors]);
  const std::size_t tiles = (m + most - 1) / most;
  const std::size_t low = tiles == 0 ? 0 : m / tiles;
  const std::size_t higher = tiles == 0 ? 0 : m % tiles;
  for (std::size_t i = 0; i < tiles; ++i) {
    const std::size_t rows = low + (i < higher ? 1 : 0);
    pick(rows, vectors)(tile);
    tile.a += rows * static_cast<std::size_t>(tile.lda) / sizeof(float);
    tile.c += rows * tile.ldc;
    if (tile.residual != nullptr) {
      tile.residual += rows * tile.ld_residual;
    }
  }
}

}  // namespace

std::size_t packed_size(std::size_t n, std::size_t k) {
  return (n + kLanes - 1) / kLanes * kLanes * k;
}

// Three vectors suit best where they fill up: their tile needs the fewest loads per multiply-add.
std::size_t best_panel(std::size_t n) {
  const std::size_t vectors = (n + kLanes - 1) / kLanes;
  return vectors == 1 ? 1 : vectors == 2 || vectors == 4 ? 2 : 3;
}

void pack(const PackArgs& p) {
  const std::size_t width = p.panel * kLanes;
  float* out = p.packed;
  for (std::size_t column = 0; column < p.n; column += width) {
    const std::size_t used = p.n - column < width ? p.n - column : width;
    const std::size_t padded = (used + kLanes - 1) / kLanes * kLanes;
    for (std::size_t i = 0; i < p.k; ++i) {
      const float* b = p.b + i * p.stride_k + column * p.stride_n;
      for (std::size_t j = 0; j < padded; ++j) {
        *out++ = j < used ? b[j * p.stride_n] : 0.0f;
      }
    }
  }
}

void gemm(const GemmArgs& g) {
  const std::size_t width = g.panel * kLanes;
  for (std::size_t column = 0; column < g.n; column += width) {
    const std::size_t used = g.n - column < width ? g.n - column : width;
    const std::size_t vectors = (used + kLanes - 1) / kLanes;
    Tile tile = {.a = g.a,
                 .lda = static_cast<std::ptrdiff_t>(g.lda * sizeof(float)),
                 .b = g.packed + column * g.k,
                 .k = g.k,
                 .bias = g.bias == nullptr ? nullptr : g.bias + column,
                 .residual = g.residual == nullptr ? nullptr : g.residual + column,
                 .ld_residual = g.ld_residual,
                 .c = g.c + column,
                 .ldc = g.ldc,
                 .lo = g.lo,
                 .hi = g.hi,
                 .last = used - (vectors - 1) * kLanes};
    multiply_panel(tile, g.m, vectors);
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
