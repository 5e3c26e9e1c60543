#include "core/tensor.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/error.h"
#include "core/memory.h"

namespace lamina {
Tensor Tensor::uninitialized(const Shape& shape) {
  Tensor result;
  result.shape_ = shape;
  if (!result.empty()) {
    const std::size_t bytes = shape.size() * sizeof(float);
    result.values_ = std::make_shared<detail::Values>(bytes, detail::allocate, detail::release);
  }
  return result;
}

Tensor Tensor::on_large_pages(const Shape& shape) {
  Tensor result;
  result.shape_ = shape;
  if (!result.empty()) {
    constexpr std::size_t kPage = std::size_t{2} << 20;
    const std::size_t bytes = (shape.size() * sizeof(float) + kPage - 1) / kPage * kPage;
    result.values_ =
        std::make_shared<detail::Values>(bytes, detail::map_large_pages, detail::unmap_large_pages);
  }
  return result;
}

Tensor Tensor::placeholder(const Shape& shape) {
  Tensor result = uninitialized({1});
  result.shape_ = shape;
  result.is_placeholder_ = true;
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

std::span<float> Tensor::values() {
  note_change();
  return {address(), std::as_const(*this).values().size()};
}

std::span<const float> Tensor::values() const {
  check(!is_placeholder_, "tensor: ", shape_, " has no values while a computation is recorded");
  return {address(), size()};
}

Tensor Tensor::clone() const { return from(shape_, values()); }

Tensor Tensor::detached() const {
  Tensor result = *this;
  result.node_ = nullptr;
  return result;
}

}  // namespace lamina
