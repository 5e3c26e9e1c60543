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

// Rows 2 pair and 2 pair + 1 of the tile; nothing when they lie before the first.
template <int pair, Residual residual, int NV, int pairs>
LAMINA_INLINE void finish_pair(const Tile& t, const PairSums<NV> (&sums)[pairs]) {
  if constexpr (pair >= 0) {
    const Vec lo = broadcast(t.lo);
    const Vec hi = broadcast(t.hi);
    float* even = t.c + 2 * pair * t.ldc;
    float* odd = even + t.ldc;
    constexpr bool kAdd = residual == Residual::add;
    const float* add_even = kAdd ? t.residual + 2 * pair * t.ld_residual : even;
    const float* add_odd = kAdd ? add_even + t.ld_residual : odd;
    LAMINA_UNROLL
    for (std::size_t j = 0; j < NV; ++j) {
      const std::size_t column = j * kLanes;
      finish<residual>(sums[pair].even[j], lo, hi, add_even + column, even + column, AllLanes{});
      finish<residual>(sums[pair].odd[j], lo, hi, add_odd + column, odd + column, AllLanes{});
    }
    constexpr std::size_t kColumn = NV * kLanes;
    Vec halves = clamp(sums[pair].halves, lo, hi);
    if constexpr (kAdd) {
      halves = halves + load_halves(add_even + kColumn, add_odd + kColumn);
    }
    store_halves(even + kColumn, odd + kColumn, halves);
  }
}

template <Residual residual, int NV, int... pairs>
LAMINA_INLINE void last_pair_step(const Tile& t, const char* a, const float* b,
                                  const RowAddress<2 * sizeof...(pairs)>& row,
                                  PairSums<NV> (&sums)[sizeof...(pairs)],
                                  std::integer_sequence<int, pairs...>) {
  Vec columns[NV + 1];
  load_columns(b, columns);
  ((multiply_pair<NV>(row.template broadcast<2 * pairs>(a),
                      row.template broadcast<2 * pairs + 1>(a), columns, sums[pairs]),
    finish_pair<pairs - 1, residual>(t, sums)),
   ...);
  finish_pair<sizeof...(pairs) - 1, residual>(t, sums);
}

// As multiply(), two rows at a time; b's last vector holds the half's columns twice.
template <int NV, int... pairs>
LAMINA_INLINE void multiply_pairs(const Tile& t, std::integer_sequence<int, pairs...> all) {
  constexpr int kPairs = sizeof...(pairs);
  PairSums<NV> sums[kPairs];
  Vec bias[NV + 1];
  load_bias<NV + 1>(t, bias);
  bias[NV] = join_halves(bias[NV], swap_halves(bias[NV]));
  LAMINA_UNROLL
  for (int i = 0; i < kPairs; ++i) {
    LAMINA_UNROLL
    for (int j = 0; j < NV; ++j) {
      sums[i].even[j] = bias[j];
      sums[i].odd[j] = bias[j];
    }
    sums[i].halves = bias[NV];
  }
  const RowAddress<2 * kPairs> row(t.lda);
  const float* b = nullptr;
  const char* a = nullptr;
  for (std::size_t segment = 0; segment < t.segments; ++segment) {
    const std::size_t steps = t.k - (segment + 1 == t.segments ? 1 : 0);
    b = t.segment[segment].b;
    a = reinterpret_cast<const char*>(t.segment[segment].a + t.a_offset);
    for (const float* const end = b + steps * (NV + 1) * kLanes; b != end;
         b += (NV + 1) * kLanes, a += sizeof(float)) {
      Vec columns[NV + 1];
      load_columns(b, columns);
      (multiply_pair<NV>(row.template broadcast<2 * pairs>(a),
                         row.template broadcast<2 * pairs + 1>(a), columns, sums[pairs]),
       ...);
    }
  }
  if (t.residual == nullptr) {
    last_pair_step<Residual::none>(t, a, b, row, sums, all);
  } else {
    last_pair_step<Residual::add>(t, a, b, row, sums, all);
  }
}

}  // namespace lamina::kernels::LAMINA_ISA
