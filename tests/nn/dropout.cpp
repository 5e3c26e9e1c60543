#include <gtest/gtest.h>

#include "nn/layers.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

const Tensor kOnes = Tensor::full({40, 1000}, 1.0f);

Tensor drop(const Tensor& x, Rng rng) { return nn::dropout(x, 0.25f, rng); }

TEST(Dropout, DropsItsShareAndScalesTheRest) {
  const Tensor y = drop(kOnes, Rng(1));
  std::size_t dropped = 0;
  for (const float value : y.values()) {
    if (value == 0.0f) {
      ++dropped;
    } else {
      ASSERT_EQ(value, 1.0f / 0.75f);
    }
  }
  // 10,000 expected; the deviation of a binomial count is 87.
  EXPECT_NEAR(static_cast<double>(dropped), 10000.0, 5 * 87.0);
}

TEST(Dropout, DrawsOneNumberForEachValue) {
  Rng rng(3, 7);
  rng.seek(5);
  const Tensor y = nn::dropout(kOnes, 0.25f, rng);
  EXPECT_EQ(rng.position(), 5 + kOnes.size());
  Rng draws(3, 7);
  draws.seek(5);
  for (const float value : y.values()) {
    ASSERT_EQ(value == 0.0f, draws.uniform() < 0.25f);
  }
}

TEST(Dropout, GradientGoesWhereValuesWent) {
  Tensor x = kOnes.clone();
  x.track();
  const Tensor y = drop(x, Rng(2));
  y.backward(kOnes);
  EXPECT_TRUE(test::same_bits(x.grad(), y));
}

TEST(Dropout, RefusesARateOutOfRange) {
  test::expect_error(
      [] {
        Rng rng(1);
        nn::dropout(kOnes, -0.25f, rng);
      },
      "dropout: rate must be at least 0 and below 1: got -0.25");
}

TEST(DropoutLayer, DropsWhileTraining) {
  nn::Dropout layer(0.25f);
  EXPECT_TRUE(test::same_bits(layer(kOnes), kOnes));
  layer.train();
  EXPECT_TRUE(test::same_bits(layer(kOnes), drop(kOnes, Rng(0))));
  layer.eval();
  EXPECT_TRUE(test::same_bits(layer(kOnes), kOnes));
}

TEST(DropoutLayer, ContinuesFromAnyStream) {
  nn::Dropout layer(0.25f);
  layer.train();
  layer.set_rng(Rng(9, 4));
  const Tensor first = layer(kOnes);
  const Tensor second = layer(kOnes);
  EXPECT_FALSE(test::same_bits(first, second));
  EXPECT_EQ(layer.rng().position(), 2 * kOnes.size());
  layer.set_rng(Rng(9, 4));
  EXPECT_TRUE(test::same_bits(layer(kOnes), first));
  EXPECT_TRUE(test::same_bits(layer(kOnes), second));
}

TEST(DropoutLayer, OfRateZeroDrawsNothing) {
  nn::Dropout layer(0.0f);
  layer.train();
  EXPECT_TRUE(test::same_bits(layer(kOnes), kOnes));
  EXPECT_EQ(layer.rng().position(), 0u);
}

}  // namespace
}  // namespace lamina
