#include "core/tensor.h"

#include <algorithm>
#include <new>
#include <sys/mman.h>

#include "core/error.h"

namespace lamina {
namespace {

template <std::size_t kAlignTo>
std::shared_ptr<float[]> allocate(std::size_t bytes) {
  constexpr std::align_val_t kAlign{kAlignTo};
  auto* values = static_cast<float*>(::operator new(bytes, kAlign));
  return std::shared_ptr<float[]>(values, [](float* p) { ::operator delete(p, kAlign); });
}

}  // namespace

Tensor Tensor::uninitialized(const Shape& shape) {
  Tensor result;
  result.shape_ = shape;
  if (!result.empty()) {
    result.values_ = allocate<kAlignment>(shape.size() * sizeof(float));
  }
  return result;
}

Tensor Tensor::on_large_pages(const Shape& shape) {
  constexpr std::size_t kPage = std::size_t{2} << 20;
  Tensor result;
  result.shape_ = shape;
  if (!result.empty()) {
    const std::size_t bytes = (shape.size() * sizeof(float) + kPage - 1) / kPage * kPage;
    result.values_ = allocate<kPage>(bytes);
    madvise(result.data(), bytes, MADV_HUGEPAGE);  // a wish: small pages do as well
    std::ranges::fill(result.values(), 0.0f);
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
  check(!is_placeholder_, "tensor: ", shape_, " has no values while a computation is recorded");
  return {data(), size()};
}

std::span<const float> Tensor::values() const { return const_cast<Tensor*>(this)->values(); }

Tensor Tensor::clone() const { return from(shape_, values()); }

Tensor Tensor::reshape(const Shape& shape) const {
  check(shape.size() == size(), "reshape: the number of elements must stay the same: ", shape_,
        " has ", size(), ", ", shape, " has ", shape.size());
  Tensor result = *this;
  result.shape_ = shape;
  return result;
}

}  // namespace lamina
