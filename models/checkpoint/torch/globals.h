#pragma once

#include <cstdint>
#include <string_view>

#include "models/checkpoint/element_type.h"

namespace lamina::models::torch {

/// What a name in a pickle stands for. Nothing is ever imported or called: a name is data.
enum class Meaning : std::uint8_t {
  ordered_dict,
  default_dict,
  rebuild_tensor,      ///< (storage, offset, shape, strides, ...)
  rebuild_tensor_v3,   ///< (storage, offset, shape, strides, grad, hooks, dtype, ...)
  rebuild_qtensor,     ///< (storage, offset, shape, strides, quantizer, ...)
  rebuild_parameter,   ///< (tensor, ...)
  rebuild_from_type,   ///< (function, type, arguments, state)
  storage,             ///< a type of storage
  dtype,               ///< a type of element
  per_tensor_affine,   ///< (scheme, scale, zero point)
  per_channel_affine,  ///< (scheme, scales, zero points, axis)
  size,                ///< torch.Size of a tuple
  other                ///< known and of no use here
};

/// A name that pickles of state dicts may hold.
struct Global {
  std::string_view module, name;
  Meaning meaning = Meaning::other;
  const ElementType* element = nullptr;  ///< of a storage or dtype; null: not a number we read
  std::uint64_t bytes = 0;               ///< of an element; 0: the tensor says
};

/// The entry of the allow-list; null for every other name.
const Global* find_global(std::string_view module, std::string_view name);

}  // namespace lamina::models::torch
