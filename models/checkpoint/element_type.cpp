#include "models/checkpoint/element_type.h"

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

template <class Stored>
float from(const std::uint8_t* element) {
  return static_cast<float>(read<Stored>(element));
}

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
    {"F64", 8, true, from<double>},
    {"F32", 4, true, from<float>},
    {"F16", 2, true, from_f16},
    {"BF16", 2, true, from_bf16},
    {"I64", 8, false, from<std::int64_t>},
    {"U64", 8, false, from<std::uint64_t>},
    {"I32", 4, false, from<std::int32_t>},
    {"U32", 4, false, from<std::uint32_t>},
    {"I16", 2, false, from<std::int16_t>},
    {"U16", 2, false, from<std::uint16_t>},
    {"I8", 1, false, from<std::int8_t>},
    {"U8", 1, false, from<std::uint8_t>},
    {"BOOL", 1, false, from<std::uint8_t>},
}};

}  // namespace

const ElementType* find_element_type(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &ElementType::name);
  return found == kTypes.end() ? nullptr : found;
}

}  // namespace lamina::models
