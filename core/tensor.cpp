#include "core/tensor.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <sys/mman.h>

#include "core/error.h"

namespace lamina {
namespace {

std::shared_ptr<float[]> allocate(std::size_t bytes) {
  constexpr std::align_val_t kAlign{Tensor::kAlignment};
  auto* values = static_cast<float*>(::operator new(bytes, kAlign));
  return std::shared_ptr<float[]>(values, [](float* p) { ::operator delete(p, kAlign); });
}

// Zero because the system hands them out so, when they are first touched.
std::shared_ptr<float[]> map_large_pages(std::size_t bytes) {
  constexpr std::size_t kPage = std::size_t{2} << 20;
  bytes = (bytes + kPage - 1) / kPage * kPage;
  void* mapped =
      ::mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    throw std::bad_alloc();
  }
  auto* begin = static_cast<std::byte*>(mapped);
  const std::size_t before = (kPage - reinterpret_cast<std::uintptr_t>(begin) % kPage) % kPage;
  if (before > 0) {
    ::munmap(begin, before);
  }
  ::munmap(begin + before + bytes, kPage - before);
  begin += before;
  ::madvise(begin, bytes, MADV_HUGEPAGE);  // a wish: small pages do as well
  return {reinterpret_cast<float*>(begin), [bytes](float* p) { ::munmap(p, bytes); }};
}

}  // namespace

Tensor Tensor::uninitialized(const Shape& shape) {
  Tensor result;
  result.shape_ = shape;
  if (!result.empty()) {
    result.values_ = allocate(shape.size() * sizeof(float));
  }
  return result;
}

Tensor Tensor::on_large_pages(const Shape& shape) {
  Tensor result;
  result.shape_ = shape;
  if (!result.empty()) {
    result.values_ = map_large_pages(shape.size() * sizeof(float));
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
