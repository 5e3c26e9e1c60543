#pragma once

#include <algorithm>

#include "models/checkpoint/onnx/constant.h"

/// What the functions of fold.h share.
namespace lamina::models::onnx {

/// Of row-major elements.
Dims strides_of(const Dims& dims);

/// A constant whose numbers are to be set.
Constant uninitialized(int type, Dims dims, Budget& budget);

/// Calls visit(to, from) for every element of `dims`, `from` stepping by the strides.
template <class Visit>
void for_each_element(const Dims& dims, const Dims& strides, std::int64_t offset, Visit visit) {
  const std::size_t count = count_of(dims);
  Dims index(dims.size(), 0);
  for (std::size_t to = 0; to < count; ++to) {
    visit(to, static_cast<std::size_t>(offset));
    for (std::size_t axis = dims.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < dims[axis]) {
        break;
      }
      offset -= strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace lamina::models::onnx
