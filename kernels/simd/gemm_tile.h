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
  std::size_t segments;  // at least 1
  std::size_t k;         // of a segment, at least 1
  std::size_t a_offset;  // floats from a segment's first row to the tile's
  std::ptrdiff_t lda;    // bytes
  const float* bias;
  const float* residual;
  std::size_t ld_residual;
  float* c;
  std::size_t ldc;
  float lo, hi;
  std::size_t last;   // lanes in use in the last vector of a row
  const char* ahead;  // what comes after this panel, for the next one, and a step for each k
  std::ptrdiff_t ahead_step;
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

enum class Residual { none, add };

template <Residual residual, class Lanes>
LAMINA_INLINE void finish(Vec sum, Vec lo, Vec hi, const float* to_add, float* c, Lanes lanes) {
  const Vec value = clamp(sum, lo, hi);
  store(c, residual == Residual::none ? value : value + load(to_add, lanes), lanes);
}

// Row `row` of the tile; nothing when it lies before the first.
template <int row, Residual residual, int NV, int rows, class Lanes>
LAMINA_INLINE void finish_row(const Tile& t, const Vec (&sums)[rows][NV], Lanes last) {
  if constexpr (row >= 0) {
    const Vec lo = broadcast(t.lo);
    const Vec hi = broadcast(t.hi);
    float* c = t.c + row * t.ldc;
    const float* to_add = residual == Residual::none ? c : t.residual + row * t.ld_residual;
    LAMINA_UNROLL
    for (std::size_t j = 0; j + 1 < NV; ++j) {
      finish<residual>(sums[row][j], lo, hi, to_add + j * kLanes, c + j * kLanes, AllLanes{});
    }
    constexpr std::size_t kColumn = (NV - 1) * kLanes;
    finish<residual>(sums[row][NV - 1], lo, hi, to_add + kColumn, c + kColumn, last);
  }
}

// The last step of k. Rows are finished two behind the multiply-adds, which hides part of it (on
// Zen 5, 13 of 50 cycles a tile).
inline constexpr int kRowsBehind = 2;

template <Residual residual, int NV, int... rows, class Lanes>
LAMINA_INLINE void last_step(const Tile& t, const char* a, const float* b,
                             const RowAddress<sizeof...(rows)>& row,
                             Vec (&sums)[sizeof...(rows)][NV], std::integer_sequence<int, rows...>,
                             Lanes last) {
  constexpr int kRows = sizeof...(rows);
  Vec columns[NV];
  load_columns(b, columns);
  ((multiply_row<NV>(row.template broadcast<rows>(a), columns, sums[rows]),
    finish_row<rows - kRowsBehind, residual>(t, sums, last)),
   ...);
  if constexpr (kRows > 1) {
    finish_row<kRows - 2, residual>(t, sums, last);
  }
  finish_row<kRows - 1, residual>(t, sums, last);
}

template <int NV, int... rows, class Lanes>
LAMINA_INLINE void last_step(const Tile& t, const char* a, const float* b,
                             const RowAddress<sizeof...(rows)>& row,
                             Vec (&sums)[sizeof...(rows)][NV],
                             std::integer_sequence<int, rows...> all, Lanes last) {
  if (t.residual == nullptr) {
    last_step<Residual::none>(t, a, b, row, sums, all, last);
  } else {
    last_step<Residual::add>(t, a, b, row, sums, all, last);
  }
}

template <int NV, int... rows>
LAMINA_INLINE void multiply(const Tile& t, std::integer_sequence<int, rows...> all) {
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
  const RowAddress<kRows> row(t.lda);
  const char* ahead = t.ahead;
  const float* b = nullptr;
  const char* a = nullptr;
  for (std::size_t segment = 0; segment < t.segments; ++segment) {
    const std::size_t steps = t.k - (segment + 1 == t.segments ? 1 : 0);
    b = t.segment[segment].b;
    a = reinterpret_cast<const char*>(t.segment[segment].a + t.a_offset);
    for (const float* const end = b + steps * NV * kLanes; b != end;
         b += NV * kLanes, a += sizeof(float)) {
      Vec columns[NV];
      load_columns(b, columns);
      prefetch_ahead<kRows>(ahead, t.ahead_step);
      (multiply_row<NV>(row.template broadcast<rows>(a), columns, sums[rows]), ...);
    }
  }
  if (t.last == kLanes) {
    last_step(t, a, b, row, sums, all, AllLanes{});
  } else {
    last_step(t, a, b, row, sums, all, SomeLanes{t.last});
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
