#include "core/shape.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"

namespace lamina {
namespace {

// Bytes of float32 must fit in a signed 64-bit offset.
constexpr std::size_t kMaxElements =
    static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / sizeof(float);

// Extents that may not make a Shape, printed like one.
struct Extents {
  std::span<const std::size_t> values;
};

std::ostream& operator<<(std::ostream& out, const Extents& extents) {
  const char* separator = "[";
  for (const std::size_t extent : extents.values) {
    out << std::exchange(separator, ", ") << extent;
  }
  return out << (extents.values.empty() ? "[]" : "]");
}

}  // namespace

Shape::Shape(std::initializer_list<std::size_t> extents)
    : Shape(std::span<const std::size_t>(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const std::size_t> extents) : rank_(extents.size()) {
  check(rank_ <= kMaxRank, "shape: rank must be at most ", kMaxRank, ": ", Extents{extents},
        " has rank ", rank_);
  std::copy(extents.begin(), extents.end(), extents_.begin());
  const bool empty = std::find(extents.begin(), extents.end(), 0) != extents.end();
  for (const std::size_t extent : extents) {
    check(empty || size_ <= kMaxElements / extent, "shape: must have at most ", kMaxElements,
          " elements: ", Extents{extents}, " has more");
    size_ = empty ? 0 : size_ * extent;
  }
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  return out << Extents{{shape.begin(), shape.rank()}};
}

}  // namespace lamina
