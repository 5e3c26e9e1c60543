#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/shape.h"

namespace lamina {

class Tensor;
using Backward = std::function<std::vector<Tensor>(const Tensor& dy)>;

namespace detail {

struct GradientNode;

/// The values that handles share, and how often someone asked to change them.
struct Values {
  using Allocate = float* (*)(std::size_t);
  using Release = void (*)(float*, std::size_t);
  Values(std::size_t size, Allocate allocate, Release free)
      : data(allocate(size)), bytes(size), release(free) {}
  ~Values() { release(data, bytes); }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;

  float* data;
  std::size_t bytes;
  Release release;
  std::atomic<std::uint64_t> changes{0};
};

}  // namespace detail

/// A handle on a dense, row-major array of float32, aligned to 64 bytes. Copies share the values;
/// clone() copies them. A default-constructed Tensor is empty: shape [0], no values.
///
/// A tracked tensor takes part in differentiation: a leaf, which track() makes, or what an op made
/// from tracked tensors. Asking for data() or values() of a handle that is not const counts as a
/// change of the values: backward() refuses to use what was changed after an op had saved it.
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

  float* data() {
    note_change();
    return address();
  }
  const float* data() const { return address(); }

  /// All values. Throws Error for a placeholder, which has none.
  std::span<float> values();
  std::span<const float> values() const;

  /// An untracked Tensor with the same values in memory of its own.
  Tensor clone() const;

  /// The same memory under another shape of the same size; differentiable. Throws Error when the
  /// sizes differ.
  Tensor reshape(const Shape& shape) const;

  /// True when both handles name the same memory; empty ones have none.
  bool shares_memory_with(const Tensor& other) const {
    return values_ != nullptr && values_ == other.values_;
  }
  /// True when another handle names the same memory.
  bool is_shared() const { return values_.use_count() > 1; }

  /// Makes this a leaf: backward() will leave its gradient in grad(). Handles copied from it before
  /// stay untracked. Throws Error for what an op made. Nothing happens the second time.
  Tensor& track();
  bool is_tracked() const { return node_ != nullptr; }
  /// An untracked handle on the same memory.
  Tensor detached() const;

  /// What backward() left here, added up over its calls; empty before the first. Its memory is its
  /// own.
  Tensor grad() const;
  /// Throws Error unless tracked and `gradient` empty or of this shape.
  void set_grad(const Tensor& gradient);
  void clear_grad();

  /// Adds to every leaf's grad() the gradient of this value with respect to it. Each op's closure
  /// runs once and is freed. Throws Error, before any work is done, when this is untracked, has
  /// more than one value, or part of its computation was differentiated already; and when an op's
  /// saved values were changed.
  void backward() const;
  /// The same from the gradient `dy` with respect to this tensor, of its shape.
  void backward(const Tensor& dy) const;

  /// How often a change of the values was possible.
  std::uint64_t changes() const {
    return values_ == nullptr ? 0 : values_->changes.load(std::memory_order_relaxed);
  }

 private:
  friend Tensor record(const char* op, const Tensor& y, std::span<const Tensor* const> inputs,
                       Backward backward);

  float* address() const { return values_ == nullptr ? nullptr : values_->data; }
  // Two threads may note one change together: the number changes all the same.
  void note_change() {
    if (values_ != nullptr) {
      values_->changes.store(changes() + 1, std::memory_order_relaxed);
    }
  }

  Shape shape_;
  std::shared_ptr<detail::Values> values_;
  std::shared_ptr<detail::GradientNode> node_;  // null: untracked
  bool is_placeholder_ = false;
};

}  // namespace lamina
