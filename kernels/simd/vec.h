#pragma once

#include <cstddef>
#include <cstdint>
#include <xsimd/xsimd.hpp>

#include "kernels/simd/isa.h"

/// A vector of floats of the instruction set this file is compiled for: the only file that names
/// xsimd or an intrinsic.
namespace lamina::kernels::LAMINA_ISA {

#if LAMINA_ISA_IS == LAMINA_ISA_avx512
using Arch = xsimd::avx512bw;
#elif LAMINA_ISA_IS == LAMINA_ISA_avx2
using Arch = xsimd::fma3<xsimd::avx2>;
#elif LAMINA_ISA_IS == LAMINA_ISA_sse2
using Arch = xsimd::sse2;
#elif LAMINA_ISA_IS == LAMINA_ISA_neon
using Arch = xsimd::neon64;
#endif

using Vec = xsimd::batch<float, Arch>;
inline constexpr std::size_t kLanes = Vec::size;

LAMINA_INLINE std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }
LAMINA_INLINE std::size_t round_up(std::size_t floats) {
  return divide_up(floats, kLanes) * kLanes;
}

/// Vector registers of this instruction set.
#if LAMINA_ISA_IS == LAMINA_ISA_avx512 || LAMINA_ISA_IS == LAMINA_ISA_neon
inline constexpr int kRegisters = 32;
#else
inline constexpr int kRegisters = 16;
#endif

LAMINA_INLINE Vec load(const float* p) { return Vec::load_unaligned(p); }
LAMINA_INLINE void store(float* p, Vec v) { v.store_unaligned(p); }
LAMINA_INLINE Vec broadcast(float x) { return Vec(x); }

/// Keeps `v` in one register: the compiler may not split its uses into several loads.
LAMINA_INLINE void keep(Vec& v) {
#if LAMINA_ISA_IS == LAMINA_ISA_neon
  asm("" : "+w"(v.data));
#else
  asm("" : "+v"(v.data));
#endif
}

/// Keeps an address or offset in a register of its own: the compiler may not recompute it.
template <class Address>
LAMINA_INLINE void opaque(Address& address) {
  asm("" : "+r"(address));
}

/// What memory holds is loaded again after this, not kept in registers from before.
LAMINA_INLINE void forget_memory() { asm("" ::: "memory"); }

/// The float at `base` in all lanes.
LAMINA_INLINE Vec broadcast_at(const char* base) {
  Vec v = broadcast(*reinterpret_cast<const float*>(base));
  keep(v);
  return v;
}

/// The float at base + scale * offset bytes in all lanes. One x86 instruction forms that address
/// when scale is 1, 2, 4 or 8; compilers compute the products ahead of a loop instead and run out
/// of registers.
template <int scale>
LAMINA_INLINE Vec broadcast_at(const char* base, std::ptrdiff_t offset) {
#if LAMINA_ISA_IS == LAMINA_ISA_avx512 || LAMINA_ISA_IS == LAMINA_ISA_avx2
  using Memory = const char[1 << 20];  // that the statement depends on: more than it reads
  Vec v;
  asm("vbroadcastss (%1,%2,%c3), %0"
      : "=v"(v.data)
      : "r"(base), "r"(offset), "i"(scale), "m"(*reinterpret_cast<Memory*>(base)));
  return v;
#else
  return broadcast_at(base + scale * offset);
#endif
}

/// a * b + c, in one rounding where the CPU can (xsimd 8.1 has none for AVX-512).
LAMINA_INLINE Vec fma(Vec a, Vec b, Vec c) {
#if LAMINA_ISA_IS == LAMINA_ISA_avx512
  return _mm512_fmadd_ps(a, b, c);
#elif LAMINA_ISA_IS == LAMINA_ISA_neon
  return vfmaq_f32(c, a, b);
#else
  return xsimd::fma(a, b, c);
#endif
}

/// min(hi, max(lo, x)); keeps a NaN in x, because these instructions return their second operand
/// when either is not a number (NEON returns the NaN).
LAMINA_INLINE Vec clamp(Vec x, Vec lo, Vec hi) {
#if LAMINA_ISA_IS == LAMINA_ISA_avx512
  return _mm512_min_ps(hi, _mm512_max_ps(lo, x));
#elif LAMINA_ISA_IS == LAMINA_ISA_avx2
  return _mm256_min_ps(hi, _mm256_max_ps(lo, x));
#elif LAMINA_ISA_IS == LAMINA_ISA_sse2
  return _mm_min_ps(hi, _mm_max_ps(lo, x));
#else
  return vminq_f32(hi, vmaxq_f32(lo, x));
#endif
}

#if LAMINA_ISA_IS != LAMINA_ISA_avx512 && LAMINA_ISA_IS != LAMINA_ISA_avx2
// Calls, because a tail of a tile makes dozens.
[[gnu::noinline]] inline Vec load_one_by_one(const float* p, std::size_t count) {
  alignas(16) float lanes[4] = {};
  for (std::size_t i = 0; i < count; ++i) {
    lanes[i] = p[i];
  }
  return Vec::load_aligned(lanes);
}
[[gnu::noinline]] inline void store_one_by_one(float* p, Vec v, std::size_t count) {
  alignas(16) float lanes[4];
  v.store_aligned(lanes);
  for (std::size_t i = 0; i < count; ++i) {
    p[i] = lanes[i];
  }
}
#endif

/// The first `count` <= kLanes floats at p, the other lanes zero. Reads nothing beyond them.
LAMINA_INLINE Vec load_first(const float* p, std::size_t count) {
#if LAMINA_ISA_IS == LAMINA_ISA_avx512
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), p);
#elif LAMINA_ISA_IS == LAMINA_ISA_avx2
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(p,
                            _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane));
#else
  return load_one_by_one(p, count);
#endif
}

/// Writes the first `count` <= kLanes floats of v to p and nothing else.
LAMINA_INLINE void store_first(float* p, Vec v, std::size_t count) {
#if LAMINA_ISA_IS == LAMINA_ISA_avx512
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1u), v);
#elif LAMINA_ISA_IS == LAMINA_ISA_avx2
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane), v);
#else
  store_one_by_one(p, v, count);
#endif
}

/// How many lanes a step works on: all of them, known at compile time, or a number in the tail.
struct AllLanes {
  static constexpr std::size_t count = kLanes;
};
struct SomeLanes {
  std::size_t count;
};
LAMINA_INLINE Vec load(const float* p, AllLanes) { return load(p); }
LAMINA_INLINE Vec load(const float* p, SomeLanes lanes) { return load_first(p, lanes.count); }
LAMINA_INLINE void store(float* p, Vec v, AllLanes) { store(p, v); }
LAMINA_INLINE void store(float* p, Vec v, SomeLanes lanes) { store_first(p, v, lanes.count); }

/// Calls step(i, lanes) for i = 0, kLanes, ... over `count` elements: with AllLanes, then once with
/// SomeLanes for the rest.
template <class Step>
LAMINA_INLINE void for_lanes(std::size_t count, const Step& step) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    step(i, AllLanes{});
  }
  if (i < count) {
    step(i, SomeLanes{count - i});
  }
}

/// Both return the end of what they wrote.
LAMINA_INLINE float* copy(const float* from, std::size_t count, float* to) {
  for_lanes(count, [&](std::size_t i, auto lanes) { store(to + i, load(from + i, lanes), lanes); });
  return to + count;
}
LAMINA_INLINE float* zeros(std::size_t count, float* to) {
  for_lanes(count, [&](std::size_t i, auto lanes) { store(to + i, broadcast(0.0f), lanes); });
  return to + count;
}

LAMINA_INLINE Vec max(Vec a, Vec b) { return xsimd::max(a, b); }
LAMINA_INLINE float sum_lanes(Vec v) { return xsimd::hadd(v); }

/// value, or zero where x < limit.
LAMINA_INLINE Vec zero_below(Vec x, Vec limit, Vec value) {
  return xsimd::select(x < limit, Vec(0.0f), value);
}

/// value where lo < x < hi, zero elsewhere and where x is not a number. A load of `value` with that
/// mask would have to wait for x to come from memory: keep() makes it a load of its own.
LAMINA_INLINE Vec inside(Vec x, Vec lo, Vec hi, Vec value) {
#if LAMINA_ISA_IS == LAMINA_ISA_avx512
  keep(value);
  const __mmask16 above = _mm512_cmp_ps_mask(lo, x, _CMP_LT_OQ);
  return _mm512_maskz_mov_ps(_mm512_mask_cmp_ps_mask(above, x, hi, _CMP_LT_OQ), value);
#else
  return xsimd::select((lo < x) & (x < hi), value, Vec(0.0f));
#endif
}

/// to[i] += v[i] for the lanes in use.
LAMINA_INLINE void add_to_doubles(double* to, Vec v, AllLanes) {
  constexpr std::size_t kHalf = kLanes / 2;
  using Floats = float __attribute__((vector_size(kHalf * sizeof(float))));
  using Doubles = double __attribute__((vector_size(kHalf * sizeof(double))));
  Floats halves[2];
  __builtin_memcpy(halves, &v.data, sizeof(halves));
  LAMINA_UNROLL
  for (std::size_t i = 0; i < 2; ++i) {
    Doubles sums;
    __builtin_memcpy(&sums, to + i * kHalf, sizeof(sums));
    sums += __builtin_convertvector(halves[i], Doubles);
    __builtin_memcpy(to + i * kHalf, &sums, sizeof(sums));
  }
}
LAMINA_INLINE void add_to_doubles(double* to, Vec v, SomeLanes lanes) {
  alignas(64) float values[kLanes];
  v.store_aligned(values);
  for (std::size_t i = 0; i < lanes.count; ++i) {
    to[i] += static_cast<double>(values[i]);
  }
}

/// The float whose bits are the lowest 9 of v's, moved up into the sign and the exponent.
LAMINA_INLINE Vec low_bits_as_exponent(Vec v) {
#if LAMINA_ISA_IS == LAMINA_ISA_neon
  return vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(v), 23));
#else
  using Bits = xsimd::batch<std::int32_t, Arch>;
  return xsimd::bitwise_cast<Vec>(xsimd::bitwise_cast<Bits>(v) << 23);
#endif
}

/// Whether half a vector is worth code of its own: channels come in multiples of 8. The functions
/// below exist only then.
#if LAMINA_ISA_IS == LAMINA_ISA_avx512
inline constexpr bool kHasHalves = true;

/// The lower half of `low` below the upper half of `high`.
LAMINA_INLINE Vec join_halves(Vec low, Vec high) { return _mm512_mask_mov_ps(low, 0xFF00, high); }

/// The upper half below the lower half.
LAMINA_INLINE Vec swap_halves(Vec v) { return _mm512_shuffle_f32x4(v, v, 0x4E); }

/// Half a vector from each address.
LAMINA_INLINE Vec load_halves(const float* low, const float* high) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high), 1);
}

/// The lower half of v to `low`, the upper half to `high`.
LAMINA_INLINE void store_halves(float* low, float* high, Vec v) {
  _mm256_storeu_ps(low, _mm512_castps512_ps256(v));
  _mm256_storeu_ps(high, _mm512_extractf32x8_ps(v, 1));
}
#else
inline constexpr bool kHasHalves = false;
Vec join_halves(Vec low, Vec high);
Vec swap_halves(Vec v);
Vec load_halves(const float* low, const float* high);
void store_halves(float* low, float* high, Vec v);
#endif

/// to[j * to_stride + i] = from[i * from_stride + j] for i, j < 4. Both compilers turn this into
/// the instruction set's shuffles.
LAMINA_INLINE void transpose4x4(const float* from, std::size_t from_stride, float* to,
                                std::size_t to_stride) {
  using Four = float __attribute__((vector_size(16)));
  Four row[4];
  LAMINA_UNROLL
  for (std::size_t i = 0; i < 4; ++i) {
    __builtin_memcpy(&row[i], from + i * from_stride, sizeof(Four));
  }
  const Four low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Four low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Four high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Four high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const Four column[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                          __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                          __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                          __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
  LAMINA_UNROLL
  for (std::size_t j = 0; j < 4; ++j) {
    __builtin_memcpy(to + j * to_stride, &column[j], sizeof(Four));
  }
}

/// Floats in a cache line.
inline constexpr std::size_t kLineFloats = 16;

/// Brings the cache line at p into L1 or L2.
LAMINA_INLINE void prefetch_l1(const float* p) { __builtin_prefetch(p, 0, 3); }
LAMINA_INLINE void prefetch_l2(const float* p) { __builtin_prefetch(p, 0, 2); }

}  // namespace lamina::kernels::LAMINA_ISA
