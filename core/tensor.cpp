#include "core/tensor.h"

#include <algorithm>
#include <new>

#include "core/error.h"

namespace lamina {
namespace {

constexpr std::align_val_t kAlign{Tensor::kAlignment};

struct Free {
  void operator()(float* values) const { ::operator delete(values, kAlign); }
};

}  // namespace

Tensor Tensor::uninitialized(const Shape& shape) {
  Tensor result;
  result.shape_ = shape;
  if (!result.empty()) {
    auto* values = static_cast<float*>(::operator new(shape.size() * sizeof(float), kAlign));
    result.values_ = std::shared_ptr<float[]>(values, Free{});
  }
  return result;
}

Tensor Tensor::placeholder(const Shape& shape) {
  Tensor result = uninitialized({1});
  result.shape_ = shape;
  return result;
}

Tensor Tensor::full(const Shape& shape, float value) {
  Tensor result = uninitialized(shape);
  std::ranges::fill(result.values(), value);
  return result;
}

Tensor Tensor::from(const Shape& shape, std::span<const float> values) {
  check(values.size() == shape.size(), "tensor: the number of values must match the shape: got ",
        values.size(), ", ", shape, " needs ", shape.size());
  Tensor result = uninitialized(shape);
  std::ranges::copy(values, result.data());
  return result;
}

Tensor Tensor::clone() const { return from(shape_, values()); }

Tensor Tensor::reshape(const Shape& shape) const {
  check(shape.size() == size(), "reshape: the number of elements must stay the same: ", shape_,
        " has ", size(), ", ", shape, " has ", shape.size());
  Tensor result = *this;
  result.shape_ = shape;
  return result;
}

}  // namespace lamina
