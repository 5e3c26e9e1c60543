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
LAMINA_INLINE void multiply_pair(const float* even, const float* odd, const Vec* columns,
                                 PairSums<NV>& sums) {
  Vec a_even = broadcast(*even);
  Vec a_odd = broadcast(*odd);
  keep(a_even);
  keep(a_odd);
  LAMINA_UNROLL
  for (int j = 0; j < NV; ++j) {
    sums.even[j] = fma(a_even, columns[j], sums.even[j]);
    sums.odd[j] = fma(a_odd, columns[j], sums.odd[j]);
  }
  sums.halves = fma(join_halves(a_even, a_odd), columns[NV], sums.halves);
}

// Rows 2 pair and 2 pair + 1 of the tile.
template <int NV>
LAMINA_INLINE void finish_pair(const Tile& t, std::size_t pair, const PairSums<NV>& sums) {
  const Vec lo = broadcast(t.lo);
  const Vec hi = broadcast(t.hi);
  const std::size_t row = 2 * pair;
  float* even = t.c + row * t.ldc;
  float* odd = even + t.ldc;
  const float* residual = t.residual + row * t.ld_residual;
  const bool add = t.residual != nullptr;
  LAMINA_UNROLL
  for (std::size_t j = 0; j < NV; ++j) {
    const std::size_t column = j * kLanes;
    const Vec x = clamp(sums.even[j], lo, hi);
    const Vec y = clamp(sums.odd[j], lo, hi);
    const Vec sum_x = add ? x + load(residual + column) : x;
    const Vec sum_y = add ? y + load(residual + t.ld_residual + column) : y;
    store(even + column, sum_x);
    store(odd + column, sum_y);
  }
  constexpr std::size_t kColumn = NV * kLanes;
  Vec halves = clamp(sums.halves, lo, hi);
  if (add) {
    halves = halves + load_halves(residual + kColumn, residual + t.ld_residual + kColumn);
  }
  store_halves(even + kColumn, odd + kColumn, halves);
}

// As multiply(), two rows at a time; b's last vector holds the half's columns twice.
template <int NV, int... pairs>
LAMINA_INLINE void multiply_pairs(const Tile& t, std::integer_sequence<int, pairs...>) {
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
  const RowAddress row(t.lda, 2 * kPairs);
  const float* b = t.b;
  for (std::size_t segment = 0; segment < t.segments; ++segment) {
    const float* const end = b + t.k * (NV + 1) * kLanes;
    if (t.a[segment] == nullptr) {
      b = end;
      continue;
    }
    const char* a = reinterpret_cast<const char*>(t.a[segment] + t.a_offset);
    for (; b != end; b += (NV + 1) * kLanes, a += sizeof(float)) {
      Vec columns[NV + 1];
      LAMINA_UNROLL
      for (int j = 0; j <= NV; ++j) {
        columns[j] = load(b + static_cast<std::size_t>(j) * kLanes);
      }
      (multiply_pair<NV>(row.template at<2 * pairs>(a), row.template at<2 * pairs + 1>(a), columns,
                         sums[pairs]),
       ...);
    }
  }
  (finish_pair<NV>(t, pairs, sums[pairs]), ...);
}

}  // namespace lamina::kernels::LAMINA_ISA
