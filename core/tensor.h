#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/shape.h"

namespace lamina {

/// A handle on a dense, row-major array of float32, aligned to 64 bytes. Copies share the values;
/// clone() copies them. A default-constructed Tensor is empty: shape [0], no values.
class Tensor {
 public:
  static constexpr std::size_t kAlignment = 64;

  Tensor() : shape_{0} {}

  /// Values not set. Throws std::bad_alloc when memory is short.
  static Tensor uninitialized(const Shape& shape);

  /// Every value `value`.
  static Tensor full(const Shape& shape, float value);
  static Tensor zeros(const Shape& shape) { return full(shape, 0.0f); }

  /// A copy of `values` in row-major order. Throws Error when the count differs from shape.size().
  static Tensor from(const Shape& shape, std::span<const float> values);

  /// Values zero, on pages of 2 MB where the system has them: for what lives long and is read
  /// often. A page is taken when it is first touched.
  static Tensor on_large_pages(const Shape& shape);

  /// A shape without memory for its values, which may not be read: it stands for a tensor that a
  /// recorded computation will make. Its data() differs from every other tensor's.
  static Tensor placeholder(const Shape& shape);

  const Shape& shape() const { return shape_; }
  std::size_t size() const { return shape_.size(); }
  bool empty() const { return size() == 0; }

  float* data() { return values_.get(); }
  const float* data() const { return values_.get(); }

  /// All values. Throws Error for a placeholder, which has none.
  std::span<float> values();
  std::span<const float> values() const;

  /// A Tensor with the same values in memory of its own.
  Tensor clone() const;

  /// The same memory under another shape of the same size. Throws Error when the sizes differ.
  Tensor reshape(const Shape& shape) const;

  /// True when both handles name the same memory; empty ones have none.
  bool shares_memory_with(const Tensor& other) const {
    return values_ != nullptr && values_ == other.values_;
  }

 private:
  Shape shape_;
  std::shared_ptr<float[]> values_;
  bool is_placeholder_ = false;
};

}  // namespace lamina
