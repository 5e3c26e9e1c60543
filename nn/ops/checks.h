#pragma once

#include <string_view>

#include "core/error.h"
#include "nn/ops.h"

namespace lamina::nn {

/// Throws unless `vector` is [count], as the last axis or the outputs of `owner` need.
inline void check_vector(std::string_view op, std::string_view name, const Tensor& vector,
                         std::string_view owner, const Shape& shape, std::size_t count) {
  check(vector.shape().rank() == 1 && vector.size() == count, op, ": ", name,
        " must have one value for each output: ", name, " is ", vector.shape(), ", ", owner, ' ',
        shape, " needs [", count, ']');
}

inline void check_bounds(std::string_view op, Bounds bounds) {
  check(bounds.lo <= bounds.hi, op, ": bounds must be in order: lo is ", bounds.lo, ", hi is ",
        bounds.hi);
}

}  // namespace lamina::nn
