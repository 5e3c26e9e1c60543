#pragma once

#include <utility>

#include "kernels/simd/vec.h"

/// One tile of a matrix product, a few rows by a few vectors, held in registers while k runs.
namespace lamina::kernels::LAMINA_ISA {

/// k may run through several pieces of A, as the rows of a convolution's window: `segments`
/// matrices of k columns each, one after the other in B.
struct Tile {
  const float* const* a;  // each segment's first row
  std::size_t segments;
  std::size_t a_offset;  // floats from there to the tile's first row
  std::ptrdiff_t lda;    // bytes
  const float* b;
  std::size_t k;
  const float* bias;
  const float* residual;
  std::size_t ld_residual;
  float* c;
  std::size_t ldc;
  float lo, hi;
  std::size_t last;  // lanes in use in the last vector of a row
  std::size_t panel_bytes;
  // What comes after this panel, for the next one: a byte offset from b, and a step for each k.
  std::ptrdiff_t ahead, ahead_step;
};

// Rows of A as base + {1, 2, 4, 8} x an odd multiple of the stride, the addresses that one x86
// instruction can form: eight registers reach sixteen rows.
class RowAddress {
 public:
  RowAddress(std::ptrdiff_t stride, int rows) {
    LAMINA_UNROLL
    for (int i = 0; i < 8; ++i) {
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
  std::ptrdiff_t odd_[8];
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

// Brings weights to come into L2, a line for each step of k; a single row reads its panel so fast
// that all lines need it. The tiles of a panel share the next one between them.
template <int NV, int rows>
LAMINA_INLINE void prefetch_ahead(const char*& ahead, std::ptrdiff_t step) {
  LAMINA_UNROLL
  for (int j = 0; j < (rows == 1 ? NV : 1); ++j) {
    prefetch_l2(reinterpret_cast<const float*>(ahead) + static_cast<std::size_t>(j) * kLanes);
  }
  ahead += step;
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
  const float* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.b) + t.ahead;
  for (std::size_t segment = 0; segment < t.segments; ++segment) {
    const float* const end = b + t.k * NV * kLanes;
    if (t.a[segment] == nullptr) {
      b = end;
      continue;
    }
    const char* a = reinterpret_cast<const char*>(t.a[segment] + t.a_offset);
    for (; b != end; b += NV * kLanes, a += sizeof(float)) {
      Vec columns[NV];
      LAMINA_UNROLL
      for (int j = 0; j < NV; ++j) {
        columns[j] = load(b + static_cast<std::size_t>(j) * kLanes);
      }
      prefetch_ahead<NV, kRows>(ahead, t.ahead_step);
      (multiply_row<NV>(broadcast(*row.template at<rows>(a)), columns, sums[rows]), ...);
    }
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

}  // namespace lamina::kernels::LAMINA_ISA
