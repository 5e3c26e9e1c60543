#pragma once

#include <utility>

#include "kernels/simd/vec.h"
#include "kernels/table.h"

/// One tile of a matrix product, a few rows by a few vectors, held in registers while k runs.
namespace lamina::kernels::LAMINA_ISA {

/// A piece of A, k columns wide, and the k rows of B that it meets.
struct Segment {
  const float* a;
  const float* b;
};

/// k may run through several pieces of A, as the rows of a convolution's window.
struct Tile {
  const Segment* segment;
  const Segment* segment_end;  // at least one
  std::size_t k;               // of a segment, at least 1
  std::size_t a_offset;        // floats from a segment's first row to the tile's
  std::ptrdiff_t lda;          // bytes
  std::size_t count;           // of tiles of this height, one below the other
  const float* bias;
  const float* residual;
  std::size_t ld_residual;
  float* c;
  std::size_t ldc;
  float lo, hi;
  std::size_t last;  // lanes in use in the last vector of a row
  // This tile's share of what comes after the panel, to be fetched for the next one, and a step for
  // each k.
  const char* ahead;
  std::ptrdiff_t ahead_share, ahead_step;
};

// Rows of A as base + {1, 2, 4, 8} x an odd multiple of the stride, the addresses that one x86
// instruction can form: seven registers reach fourteen rows, and again from the fourteenth.
template <int rows>
class RowAddress {
 public:
  explicit RowAddress(std::ptrdiff_t stride) {
    LAMINA_UNROLL
    for (int i = 0; i < kOdd; ++i) {
      odd_[i] = (2 * i + 1) * stride;
    }
  }

  // The float at base + row * stride in all lanes.
  template <int row>
  LAMINA_INLINE Vec broadcast(const char* base) const {
    if constexpr (row >= kReach) {
      return broadcast<row - kReach>(base + 2 * odd_[kReach / 4]);
    } else if constexpr (row == 0) {
      return broadcast_at(base);
    } else {
      constexpr int power = row & -row;
      return broadcast_at<power>(base, odd_[row / power / 2]);
    }
  }

 private:
  static constexpr int kReach = 14;
  static constexpr int kOdd = rows == 1 ? 1 : rows < kReach ? rows / 2 : kReach / 2;
  std::ptrdiff_t odd_[kOdd];
};

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
LAMINA_INLINE void load_columns(const float* b, Vec (&columns)[NV]) {
  LAMINA_UNROLL
  for (int j = 0; j < NV; ++j) {
    columns[j] = load(b + static_cast<std::size_t>(j) * kLanes);
  }
}

// Brings weights to come into L2, a line for each step of k; the tiles of a panel share the next
// one between them. A single row reads its weights one after the other, which the CPU foresees: it
// does without, and reads L3 a fifth faster.
template <int rows>
LAMINA_INLINE void prefetch_ahead(const char*& ahead, std::ptrdiff_t step) {
  if constexpr (rows > 1) {
    prefetch_l2(reinterpret_cast<const float*>(ahead));
    ahead += step;
  }
}

template <int NV>
LAMINA_INLINE void multiply_row(Vec factor, const Vec* columns, Vec* sums) {
  LAMINA_UNROLL
  for (int j = 0; j < NV; ++j) {
    sums[j] = fma(factor, columns[j], sums[j]);
  }
}

template <int NV>
LAMINA_INLINE void zero(Vec (&sums)[NV]) {
  LAMINA_UNROLL
  for (int j = 0; j < NV; ++j) {
    sums[j] = broadcast(0.0f);
  }
}

enum class Residual { none, add };

template <Residual residual, class Lanes>
LAMINA_INLINE void finish(Vec sum, Vec lo, Vec hi, const float* to_add, float* c, Lanes lanes) {
  const Vec value = clamp(sum, lo, hi);
  store(c, residual == Residual::none ? value : value + load(to_add, lanes), lanes);
}

// Where the rows of a tile end up, one after the other.
template <Residual residual>
class RowWalk {
 public:
  explicit RowWalk(const Tile& t)
      : c_(t.c), to_add_(t.residual), ldc_(t.ldc), ld_residual_(t.ld_residual) {}

  float* c() const { return c_; }
  const float* to_add() const { return residual == Residual::add ? to_add_ : c_; }

  LAMINA_INLINE void next() {
    c_ += ldc_;
    opaque(c_);
    if constexpr (residual == Residual::add) {
      to_add_ += ld_residual_;
      opaque(to_add_);
    }
  }

 private:
  float* c_;
  const float* to_add_;
  std::size_t ldc_, ld_residual_;
};

// The bias is added last: sums that start as zeros need no register read for the first step of k,
// and on Zen 5 a store of 64 bytes takes the read of both multiply-adds' third operand for a cycle.
// The first step is when the stores of the tile before go out.
template <Residual residual, int NV, int rows, class Lanes>
LAMINA_INLINE void finish_rows(const Tile& t, const Vec (&sums)[rows][NV], Lanes last) {
  const Vec lo = broadcast(t.lo);
  const Vec hi = broadcast(t.hi);
  Vec bias[NV];
  load_bias<NV>(t, bias);
  RowWalk<residual> row(t);
  LAMINA_UNROLL
  for (int i = 0; i < rows; ++i, row.next()) {
    LAMINA_UNROLL
    for (std::size_t j = 0; j + 1 < NV; ++j) {
      const std::size_t column = j * kLanes;
      finish<residual>(sums[i][j] + bias[j], lo, hi, row.to_add() + column, row.c() + column,
                       AllLanes{});
    }
    constexpr std::size_t kColumn = (NV - 1) * kLanes;
    finish<residual>(sums[i][NV - 1] + bias[NV - 1], lo, hi, row.to_add() + kColumn,
                     row.c() + kColumn, last);
  }
}

template <int NV, int rows, class Lanes>
LAMINA_INLINE void finish_rows(const Tile& t, const Vec (&sums)[rows][NV], Lanes last) {
  if (t.residual == nullptr) {
    finish_rows<Residual::none>(t, sums, last);
  } else {
    finish_rows<Residual::add>(t, sums, last);
  }
}

// On to the tile below.
LAMINA_INLINE void advance(Tile& tile, std::size_t rows) {
  tile.a_offset += rows * static_cast<std::size_t>(tile.lda) / sizeof(float);
  tile.c += rows * tile.ldc;
  if (tile.residual != nullptr) {
    tile.residual += rows * tile.ld_residual;
  }
  tile.ahead += tile.ahead_share;
  --tile.count;
}

// Around the loop over k, what the tile says is forgotten: kept in registers it would push others
// out into vector and mask registers, whose values come back behind the arithmetic.
template <int NV, int... rows>
LAMINA_INLINE void multiply(Tile& t, std::integer_sequence<int, rows...>) {
  constexpr int kRows = sizeof...(rows);
  const RowAddress<kRows> row(t.lda);
  while (t.count > 0) {
    Vec sums[kRows][NV];
    (zero(sums[rows]), ...);
    const char* ahead = t.ahead;
    for (const Segment* segment = t.segment; segment != t.segment_end; ++segment) {
      const float* b = segment->b;
      const char* a = reinterpret_cast<const char*>(segment->a + t.a_offset);
      const float* const end = b + t.k * NV * kLanes;
      const std::ptrdiff_t ahead_step = t.ahead_step;
      forget_memory();
      for (; b != end; b += NV * kLanes, a += sizeof(float)) {
        Vec columns[NV];
        load_columns(b, columns);
        prefetch_ahead<kRows>(ahead, ahead_step);
        (multiply_row<NV>(row.template broadcast<rows>(a), columns, sums[rows]), ...);
      }
      forget_memory();
    }
    if (t.last == kLanes) {
      finish_rows(t, sums, AllLanes{});
    } else {
      finish_rows(t, sums, SomeLanes{t.last});
    }
    advance(t, kRows);
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
