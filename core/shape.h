#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <ostream>
#include <span>

namespace lamina {

/// The extents of a dense row-major array of rank 0 (one value) to 4. Images are [N, H, W, C],
/// convolution weights [O, H, W, I].
class Shape {
 public:
  static constexpr std::size_t kMaxRank = 4;

  /// Rank 0: one value.
  Shape() = default;

  /// Throws Error when there are more than four extents or their product does not fit in memory.
  Shape(std::initializer_list<std::size_t> extents);
  explicit Shape(std::span<const std::size_t> extents);

  std::size_t rank() const { return rank_; }

  /// The number of elements: the product of the extents, 1 for rank 0.
  std::size_t size() const { return size_; }

  /// The extent along `axis` < rank().
  std::size_t operator[](std::size_t axis) const { return extents_[axis]; }

  const std::size_t* begin() const { return extents_.data(); }
  const std::size_t* end() const { return extents_.data() + rank_; }

  bool operator==(const Shape& other) const = default;

 private:
  std::array<std::size_t, kMaxRank> extents_{};
  std::size_t rank_ = 0;
  std::size_t size_ = 1;
};

/// Prints as `[1, 224, 224, 3]`.
std::ostream& operator<<(std::ostream& out, const Shape& shape);

}  // namespace lamina
