#pragma once

#include <cstdint>

namespace lamina::models {

/// The nearest number of 16 bits, halves to even, too large ones infinite; NaN stays NaN.
std::uint16_t to_f16(float value);   ///< IEEE's: 5 bits of exponent, 10 of mantissa
std::uint16_t to_bf16(float value);  ///< the upper half of a float32: 8 and 7

}  // namespace lamina::models
