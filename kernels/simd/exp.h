#pragma once

#include "kernels/simd/vec.h"

namespace lamina::kernels::LAMINA_ISA {

/// exp(x) for x <= 0 to 2 units in the last place; zero where the result would be below the
/// smallest normal float; a NaN stays. exp(x) = 2^n exp(r), n = round(x / ln 2),
/// |r| <= ln 2 / 2, exp(r) by Taylor's polynomial of degree 7 (next term: 5e-9).
LAMINA_INLINE Vec exp_nonpositive(Vec x) {
  const Vec smallest = broadcast(-87.33654f);  // ln 2^-126
  const Vec bounded = clamp(x, smallest, broadcast(0.0f));
  // At 1.5 * 2^23 a float's last bit is worth one: the sum rounds to a whole number, which its low
  // bits spell out, 127 included, as an exponent stores it.
  const Vec magic = broadcast(12582912.0f + 127.0f);
  const Vec rounded = fma(bounded, broadcast(1.44269504f), magic);
  const Vec n = rounded - magic;
  // ln 2 in two parts; n times the first (17 bits) is exact.
  Vec r = fma(n, broadcast(-0.693145751953125f), bounded);
  r = fma(n, broadcast(-1.42860677e-6f), r);
  Vec sum = broadcast(1.0f / 5040.0f);
  constexpr float kTaylor[] = {1.0f / 720.0f, 1.0f / 120.0f, 1.0f / 24.0f, 1.0f / 6.0f,
                               0.5f,          1.0f,          1.0f};
  LAMINA_UNROLL
  for (const float coefficient : kTaylor) {
    sum = fma(sum, r, broadcast(coefficient));
  }
  return zero_below(x, smallest, sum * low_bits_as_exponent(rounded));
}

}  // namespace lamina::kernels::LAMINA_ISA
