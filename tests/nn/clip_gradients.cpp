#include "nn/clip_gradients.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

struct Weights {
  Tensor big = Tensor::zeros({20, 1000});
  Tensor small = Tensor::zeros({3});
  Tensor without = Tensor::zeros({7});

  Weights() {
    for (const nn::NamedTensor& tensor : named()) {
      tensor.value->track();
    }
  }

  std::vector<nn::NamedTensor> named() {
    return {{"big", nn::TensorKind::parameter, &big},
            {"small", nn::TensorKind::parameter, &small},
            {"without", nn::TensorKind::parameter, &without}};
  }
};

TEST(ClipGradients, NormIsOverAllGradients) {
  Weights weights;
  EXPECT_EQ(nn::gradient_norm(weights.named()), 0.0);
  weights.big.set_grad(Tensor::full({20, 1000}, 0.5f));
  weights.small.set_grad(Tensor::from({3}, std::vector{3.0f, 4.0f, -5.0f}));
  EXPECT_DOUBLE_EQ(nn::gradient_norm(weights.named()), std::sqrt(5000.0 + 50.0));
}

TEST(ClipGradients, NormHasTheSameBitsForAnyNumberOfThreads) {
  Weights weights;
  weights.big.set_grad(test::random_tensor({20, 1000}, 1));
  weights.small.set_grad(test::random_tensor({3}, 2));
  const auto norm = [&](std::size_t threads) {
    const test::ScopedThreads scoped(threads);
    return nn::gradient_norm(weights.named());
  };
  for (const std::size_t threads : {2u, 3u, 4u}) {
    EXPECT_EQ(norm(threads), norm(1));
  }
}

TEST(ClipGradients, ScalesDownToTheNormAndNeverUp) {
  Weights weights;
  weights.small.set_grad(Tensor::from({3}, std::vector{3.0f, 0.0f, -4.0f}));
  EXPECT_EQ(nn::clip_gradient_norm(weights.named(), 6.0), 5.0);
  test::expect_near(weights.small.grad(), {3.0, 0.0, -4.0}, 0.0);
  EXPECT_EQ(nn::clip_gradient_norm(weights.named(), 2.5), 5.0);
  test::expect_near(weights.small.grad(), {1.5, 0.0, -2.0}, 1e-6);
  EXPECT_TRUE(weights.without.grad().empty());
}

TEST(ClipGradients, LeavesGradientsAloneWhenTheNormIsNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Weights weights;
    weights.small.set_grad(Tensor::from({3}, std::vector{3.0f, bad, -4.0f}));
    EXPECT_FALSE(std::isfinite(nn::clip_gradient_norm(weights.named(), 1.0)));
    EXPECT_EQ(weights.small.grad().values()[0], 3.0f);
  }
}

TEST(ClipGradients, ClampsValuesAndKeepsNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Weights weights;
  weights.small.set_grad(Tensor::from({3}, std::vector{3.0f, 0.5f, -4.0f}));
  EXPECT_DOUBLE_EQ(nn::clip_gradient_values(weights.named(), 1.0), std::sqrt(25.25));
  test::expect_near(weights.small.grad(), {1.0, 0.5, -1.0}, 0.0);
  weights.small.set_grad(Tensor::from({3}, std::vector{nan, 0.5f, -4.0f}));
  EXPECT_TRUE(std::isnan(nn::clip_gradient_values(weights.named(), 1.0)));
  EXPECT_TRUE(std::isnan(weights.small.grad().values()[0]));
}

TEST(ClipGradients, ChangesMemoryThatGradientsShareOnce) {
  const Tensor shared = Tensor::full({3}, 8.0f);
  Weights weights;
  Tensor twin = Tensor::zeros({3}).track();
  weights.small.set_grad(shared);
  twin.set_grad(shared);
  std::vector<nn::NamedTensor> both = weights.named();
  both.push_back({"twin", nn::TensorKind::parameter, &twin});
  nn::clip_gradient_norm(both, 4.0 * std::sqrt(6.0));
  test::expect_near(weights.small.grad(), {4.0, 4.0, 4.0}, 1e-5);
  test::expect_near(twin.grad(), {4.0, 4.0, 4.0}, 1e-5);
  test::expect_near(shared, {8.0, 8.0, 8.0}, 0.0);
}

TEST(ClipGradients, LimitsMustBePositive) {
  test::expect_error([] { nn::clip_gradient_norm({}, 0.0); },
                     "clip_gradient_norm: max_norm must be above 0 and finite: got 0");
  test::expect_error([] { nn::clip_gradient_values({}, -1.0); },
                     "clip_gradient_values: max_value must be above 0 and finite: got -1");
}

}  // namespace
}  // namespace lamina
