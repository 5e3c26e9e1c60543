#include "core/shape.h"

#include <gtest/gtest.h>
#include <limits>
#include <sstream>
#include <vector>

#include "tests/support/expect_error.h"

namespace lamina {
namespace {

constexpr std::size_t kHuge = std::numeric_limits<std::size_t>::max();

std::string printed(const Shape& shape) {
  std::ostringstream out;
  out << shape;
  return out.str();
}

TEST(Shape, RankZeroIsOneValue) {
  const Shape shape;
  EXPECT_EQ(shape.rank(), 0u);
  EXPECT_EQ(shape.size(), 1u);
  EXPECT_EQ(shape.begin(), shape.end());
  EXPECT_EQ(printed(shape), "[]");
}

TEST(Shape, HoldsItsExtents) {
  const Shape shape{1, 224, 192, 3};
  EXPECT_EQ(shape.rank(), 4u);
  EXPECT_EQ(shape.size(), 129024u);
  EXPECT_EQ(shape[1], 224u);
  EXPECT_EQ(shape[3], 3u);
  EXPECT_EQ(std::vector<std::size_t>(shape.begin(), shape.end()),
            (std::vector<std::size_t>{1, 224, 192, 3}));
}

TEST(Shape, PrintsLikeAList) {
  EXPECT_EQ(printed({1, 224, 224, 3}), "[1, 224, 224, 3]");
  EXPECT_EQ(printed({7}), "[7]");
}

TEST(Shape, ComparesRankAndExtents) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2, 3}), (Shape{2, 3, 1}));
  EXPECT_NE(Shape{}, Shape{1});
  EXPECT_NE((Shape{0, 2}), (Shape{2, 0}));
}

TEST(Shape, AZeroExtentMakesItEmptyWhateverTheOthers) {
  EXPECT_EQ((Shape{0}).size(), 0u);
  EXPECT_EQ((Shape{kHuge, 0, kHuge}).size(), 0u);
  EXPECT_EQ((Shape{0, kHuge, kHuge}).size(), 0u);
}

TEST(Shape, FromASpan) {
  const std::vector<std::size_t> extents{5, 6, 7};
  EXPECT_EQ(Shape(std::span<const std::size_t>(extents)), (Shape{5, 6, 7}));
}

TEST(Shape, RefusesRankFive) {
  test::expect_error(
      [] {
        Shape({1, 2, 3, 4, 5});
      },
      "shape: rank must be at most 4: [1, 2, 3, 4, 5] has rank 5");
}

TEST(Shape, TakesTheLargestSizeThatFits) {
  EXPECT_EQ((Shape{std::size_t{1} << 31, (std::size_t{1} << 30) - 1}).size(),
            (std::size_t{1} << 61) - (std::size_t{1} << 31));
  EXPECT_EQ((Shape{(std::size_t{1} << 61) - 1}).size(), 2305843009213693951u);
}

TEST(Shape, RefusesMoreElementsThanMemoryCanHold) {
  test::expect_error([] { Shape({std::size_t{1} << 61}); },
                     "shape: must have at most 2305843009213693951 elements: "
                     "[2305843009213693952] has more");
  test::expect_error(
      [] {
        Shape({65536, 65536, 65536, 65536});
      },
      "shape: must have at most 2305843009213693951 elements: "
      "[65536, 65536, 65536, 65536] has more");
  test::expect_error(
      [] {
        Shape({2, kHuge});
      },
      "shape: must have at most 2305843009213693951 elements: "
      "[2, 18446744073709551615] has more");
}

}  // namespace
}  // namespace lamina
