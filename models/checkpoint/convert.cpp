#include "models/checkpoint/convert.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace lamina::models {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoint files are little-endian");

template <class Stored>
Stored read(const std::uint8_t* element) {
  Stored stored;
  std::memcpy(&stored, element, sizeof stored);
  return stored;
}

float from_f64(const std::uint8_t* element) { return static_cast<float>(read<double>(element)); }

float from_f32(const std::uint8_t* element) { return read<float>(element); }

float from_bf16(const std::uint8_t* element) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(read<std::uint16_t>(element)) << 16);
}

// 1 sign, 5 exponent and 10 mantissa bits to 1, 8 and 23: exponents move by 127 - 15.
float from_f16(const std::uint8_t* element) {
  const std::uint32_t bits = read<std::uint16_t>(element);
  const std::uint32_t exponent = bits >> 10 & 31;
  const std::uint32_t mantissa = bits & 1023;
  std::uint32_t magnitude = (exponent + 112) << 23 | mantissa << 13;
  if (exponent == 31) {
    magnitude = 0x7f800000 | mantissa << 13;
  } else if (exponent == 0) {
    magnitude = std::bit_cast<std::uint32_t>(static_cast<float>(mantissa) * 0x1p-24f);
  }
  return std::bit_cast<float>(magnitude | (bits & 0x8000) << 16);
}

constexpr std::array<ElementType, 13> kTypes = {{
    {"F64", 8, from_f64},
    {"F32", 4, from_f32},
    {"F16", 2, from_f16},
    {"BF16", 2, from_bf16},
    {"I64", 8, nullptr},
    {"U64", 8, nullptr},
    {"I32", 4, nullptr},
    {"U32", 4, nullptr},
    {"I16", 2, nullptr},
    {"U16", 2, nullptr},
    {"I8", 1, nullptr},
    {"U8", 1, nullptr},
    {"BOOL", 1, nullptr},
}};

}  // namespace

const ElementType* find_element_type(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &ElementType::name);
  return found == kTypes.end() ? nullptr : found;
}

}  // namespace lamina::models
