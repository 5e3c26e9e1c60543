#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lamina::models {

/// A type of element in a checkpoint file.
struct ElementType {
  std::string_view name;  ///< as safetensors writes it: "F32"
  std::size_t bytes;
  /// One little-endian element as float32; null for types that are not loaded.
  float (*to_float)(const std::uint8_t* element);
};

/// The type of that name, or null.
const ElementType* find_element_type(std::string_view name);

}  // namespace lamina::models
