#include "core/tensor.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <new>
#include <vector>

#include "tests/support/expect_error.h"

namespace lamina {
namespace {

std::vector<float> values_of(const Tensor& x) { return {x.values().begin(), x.values().end()}; }

TEST(Tensor, DefaultIsEmpty) {
  const Tensor x;
  EXPECT_TRUE(x.empty());
  EXPECT_EQ(x.shape(), Shape{0});
  EXPECT_EQ(x.size(), 0u);
  EXPECT_EQ(x.values().size(), 0u);
}

TEST(Tensor, IsAlignedWhateverItsSize) {
  std::vector<Tensor> kept;
  for (std::size_t n = 1; n < 200; n += 7) {
    kept.push_back(Tensor::uninitialized({n}));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(kept.back().data()) % Tensor::kAlignment, 0u) << n;
  }
}

TEST(Tensor, FullAndZerosSetEveryValue) {
  EXPECT_EQ(values_of(Tensor::full({2, 3}, 1.5f)), std::vector<float>(6, 1.5f));
  EXPECT_EQ(values_of(Tensor::zeros({5})), std::vector<float>(5, 0.0f));
}

TEST(Tensor, RankZeroHoldsOneValue) {
  const Tensor x = Tensor::full({}, 3.0f);
  EXPECT_EQ(x.size(), 1u);
  EXPECT_EQ(*x.data(), 3.0f);
}

TEST(Tensor, FromCopiesInRowMajorOrder) {
  std::vector<float> source{0, 1, 2, 3, 4, 5};
  const Tensor x = Tensor::from({2, 3}, source);
  source[4] = -1.0f;
  EXPECT_EQ(x.shape(), (Shape{2, 3}));
  EXPECT_EQ(x.data()[1 * 3 + 1], 4.0f);
}

TEST(Tensor, FromRefusesAnotherCount) {
  const std::vector<float> values(5);
  test::expect_error(
      [&] {
        Tensor::from({2, 3}, values);
      },
      "tensor: the number of values must match the shape: got 5, [2, 3] needs 6");
}

TEST(Tensor, CopiesShareAndCloneDoesNot) {
  Tensor x = Tensor::zeros({4});
  Tensor shared = x;
  const Tensor own = x.clone();
  x.data()[2] = 7.0f;
  EXPECT_EQ(shared.data()[2], 7.0f);
  EXPECT_EQ(own.data()[2], 0.0f);
  EXPECT_TRUE(x.shares_memory_with(shared));
  EXPECT_FALSE(x.shares_memory_with(own));
  EXPECT_EQ(own.shape(), x.shape());
}

TEST(Tensor, MemoryLivesAsLongAsAnyHandle) {
  Tensor kept;
  {
    const Tensor x = Tensor::full({1000}, 2.0f);
    kept = x;
  }
  EXPECT_EQ(values_of(kept), std::vector<float>(1000, 2.0f));
}

TEST(Tensor, ReshapeSharesTheMemory) {
  Tensor x = Tensor::zeros({2, 3, 4});
  const Tensor y = x.reshape({6, 4});
  x.data()[23] = 9.0f;
  EXPECT_EQ(y.shape(), (Shape{6, 4}));
  EXPECT_EQ(x.shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(y.data()[23], 9.0f);
}

TEST(Tensor, ReshapeRefusesAnotherSize) {
  const Tensor x = Tensor::zeros({2, 3});
  test::expect_error([&] { static_cast<void>(x.reshape({7})); },
                     "reshape: the number of elements must stay the same: [2, 3] has 6, [7] has 7");
}

TEST(Tensor, EmptyOnesHaveNoMemoryInCommon) {
  const Tensor x = Tensor::zeros({0, 3});
  const Tensor y = Tensor::zeros({0, 3});
  EXPECT_TRUE(x.empty());
  EXPECT_EQ(x.shape(), (Shape{0, 3}));
  EXPECT_TRUE(x.clone().empty());
  EXPECT_EQ(x.reshape({7, 0}).shape(), (Shape{7, 0}));
  EXPECT_FALSE(x.shares_memory_with(y));
}

TEST(Tensor, ThrowsWhenMemoryIsShort) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer ends the program instead";
#endif
  EXPECT_THROW(Tensor::uninitialized({std::size_t{1} << 60}), std::bad_alloc);
}

}  // namespace
}  // namespace lamina
