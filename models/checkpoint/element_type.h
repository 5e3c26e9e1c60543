#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lamina::models {

/// A type of element in a checkpoint file.
struct ElementType {
  std::string_view name;  ///< as safetensors writes it: "F32"
  std::size_t bytes;
  bool is_floating;
  /// One little-endian element as float32, rounded to the nearest.
  float (*to_float)(const std::uint8_t* element);
};

/// The type of that name: F64, F32, F16, BF16, I64 to I8, U64 to U8 or BOOL; else null.
const ElementType* find_element_type(std::string_view name);

}  // namespace lamina::models
