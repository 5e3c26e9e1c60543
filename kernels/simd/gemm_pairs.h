#pragma once

#include <utility>

#include "kernels/simd/gemm_tile.h"

/// A tile whose last vector is half full: rows go in pairs that share one vector for their halves,
/// for 24 columns on AVX-512 three multiply-adds for two rows, not four.
namespace lamina::kernels::LAMINA_ISA {

template <int NV>
struct PairSums {
  Vec even[NV], odd[NV];  // full vectors of either row
  Vec halves;             // the last columns of the even row, then those of the odd row
};

template <int NV>
LAMINA_INLINE void multiply_pair(Vec a_even, Vec a_odd, const Vec* columns, PairSums<NV>& sums) {
  LAMINA_UNROLL
  for (int j = 0; j < NV; ++j) {
    sums.even[j] = fma(a_even, columns[j], sums.even[j]);
    sums.odd[j] = fma(a_odd, columns[j], sums.odd[j]);
  }
  sums.halves = fma(join_halves(a_even, a_odd), columns[NV], sums.halves);
}

// Two rows of the tile.
template <Residual residual, int NV>
LAMINA_INLINE void finish_pair(const PairSums<NV>& sums, const Vec* bias, Vec lo, Vec hi,
                               RowWalk<residual>& row) {
  const auto finish_full = [&](const Vec* full) {
    LAMINA_UNROLL
    for (std::size_t j = 0; j < NV; ++j) {
      const std::size_t column = j * kLanes;
      finish<residual>(full[j] + bias[j], lo, hi, row.to_add() + column, row.c() + column,
                       AllLanes{});
    }
  };
  constexpr std::size_t kColumn = NV * kLanes;
  float* even = row.c() + kColumn;
  const float* add_even = row.to_add() + kColumn;
  finish_full(sums.even);
  row.next();
  finish_full(sums.odd);
  Vec halves = clamp(sums.halves + bias[NV], lo, hi);
  if constexpr (residual == Residual::add) {
    halves = halves + load_halves(add_even, row.to_add() + kColumn);
  }
  store_halves(even, row.c() + kColumn, halves);
  row.next();
}

template <Residual residual, int NV, int pairs>
LAMINA_INLINE void finish_pairs(const Tile& t, const PairSums<NV> (&sums)[pairs]) {
  const Vec lo = broadcast(t.lo);
  const Vec hi = broadcast(t.hi);
  Vec bias[NV + 1];
  load_bias<NV + 1>(t, bias);
  bias[NV] = join_halves(bias[NV], swap_halves(bias[NV]));
  RowWalk<residual> row(t);
  LAMINA_UNROLL
  for (int i = 0; i < pairs; ++i) {
    finish_pair<residual>(sums[i], bias, lo, hi, row);
  }
}

template <int NV>
LAMINA_INLINE void zero(PairSums<NV>& sums) {
  zero(sums.even);
  zero(sums.odd);
  sums.halves = broadcast(0.0f);
}

// As multiply(), two rows at a time; b's last vector holds the half's columns twice.
template <int NV, int... pairs>
LAMINA_INLINE void multiply_pairs(Tile& t, std::integer_sequence<int, pairs...>) {
  constexpr int kPairs = sizeof...(pairs);
  const RowAddress<2 * kPairs> row(t.lda);
  while (t.count > 0) {
    PairSums<NV> sums[kPairs];
    (zero(sums[pairs]), ...);
    for (const Segment* segment = t.segment; segment != t.segment_end; ++segment) {
      const float* b = segment->b;
      const char* a = reinterpret_cast<const char*>(segment->a + t.a_offset);
      const float* const end = b + t.k * (NV + 1) * kLanes;
      forget_memory();
      for (; b != end; b += (NV + 1) * kLanes, a += sizeof(float)) {
        Vec columns[NV + 1];
        load_columns(b, columns);
        (multiply_pair<NV>(row.template broadcast<2 * pairs>(a),
                           row.template broadcast<2 * pairs + 1>(a), columns, sums[pairs]),
         ...);
      }
      forget_memory();
    }
    if (t.residual == nullptr) {
      finish_pairs<Residual::none>(t, sums);
    } else {
      finish_pairs<Residual::add>(t, sums);
    }
    advance(t, 2 * kPairs);
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
