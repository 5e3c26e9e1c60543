#pragma once

#include <cmath>
#include <string_view>

#include "core/error.h"
#include "nn/ops.h"

namespace lamina::nn {

/// "[1, 2, 2, 3] has 3, bias [4] has 4"-style check of a vector with one value for each channel.
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
