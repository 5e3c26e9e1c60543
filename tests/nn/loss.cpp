#include "nn/loss.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using Labels = std::vector<std::uint32_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float value(const Tensor& loss) {
  EXPECT_EQ(loss.shape(), Shape{});
  return *loss.data();
}

TEST(CrossEntropy, KnownValues) {
  // log softmax of (0, log 3) is (-log 4, log 3 - log 4).
  const Tensor x = Tensor::from({2, 2}, std::vector{0.0f, std::log(3.0f), 0.0f, std::log(3.0f)});
  EXPECT_NEAR(value(nn::cross_entropy(x, Labels{0, 1})), (std::log(4.0) + std::log(4.0 / 3.0)) / 2,
              1e-6);
  EXPECT_NEAR(value(nn::cross_entropy(x, Labels{1, 1}, {.label_smoothing = 0.5})),
              0.25 * std::log(4.0) + 0.75 * std::log(4.0 / 3.0), 1e-6);
  EXPECT_NEAR(
      value(nn::cross_entropy(x, Tensor::from({2, 2}, std::vector{0.5f, 0.5f, 1.0f, 0.0f}))),
      (0.5 * std::log(4.0) + 0.5 * std::log(4.0 / 3.0) + std::log(4.0)) / 2, 1e-6);
}

TEST(CrossEntropy, LargeLogitsDoNotOverflow) {
  Tensor x = Tensor::from({2, 3}, std::vector{3e38f, -3e38f, 0.0f, 2000.0f, 1000.0f, 1999.0f});
  x.track();
  const Tensor loss = nn::cross_entropy(x, Labels{0, 2});
  EXPECT_NEAR(value(loss), std::log1p(std::exp(1.0)) / 2, 1e-6);
  loss.backward();
  test::expect_near(
      x.grad(), {0.0, 0.0, 0.0, 0.5 / (1 + std::exp(-1.0)), 0.0, 0.5 / (1 + std::exp(1.0)) - 0.5},
      1e-6);
}

TEST(CrossEntropy, AClassThatIsImpossibleCountsOnlyWhereItIsWanted) {
  const Tensor x = Tensor::from({1, 2}, std::vector{0.0f, -kInfinity});
  EXPECT_EQ(value(nn::cross_entropy(x, Labels{0})), 0.0f);
  EXPECT_EQ(value(nn::cross_entropy(x, Labels{1})), kInfinity);
}

TEST(CrossEntropy, KeepsNaN) {
  const Tensor x = Tensor::from({1, 3}, std::vector{0.0f, std::nanf(""), 1.0f});
  EXPECT_TRUE(std::isnan(value(nn::cross_entropy(x, Labels{0}))));
}

TEST(CrossEntropy, ChainsWithAFactor) {
  Tensor x = test::random_tensor({3, 4}, 1);
  x.track();
  nn::cross_entropy(x, Labels{0, 1, 2}).backward();
  std::vector<double> want = test::doubles(x.grad());
  for (double& gradient : want) {
    gradient *= 2.5;
  }
  x.clear_grad();
  nn::cross_entropy(x, Labels{0, 1, 2}).backward(Tensor::full({}, 2.5f));
  test::expect_near(x.grad(), want, 1e-6);
}

TEST(CrossEntropy, Errors) {
  const Tensor x = Tensor::zeros({2, 3});
  test::expect_error([] { nn::cross_entropy(Tensor::zeros({3}), Labels{0}); },
                     "cross_entropy: logits must be [N, classes]: got [3]");
  test::expect_error(
      [] {
        nn::cross_entropy(Tensor::zeros({0, 3}), Labels{});
      },
      "cross_entropy: logits must be [N, classes]: got [0, 3]");
  test::expect_error([&] { nn::cross_entropy(x, Labels{0}); },
                     "cross_entropy: every row must have a label: logits [2, 3] have 2, labels are "
                     "1");
  test::expect_error(
      [&] {
        nn::cross_entropy(x, Labels{0, 3});
      },
      "cross_entropy: labels must be below the number of classes: got 3, logits "
      "[2, 3] have 3");
  test::expect_error(
      [&] {
        nn::cross_entropy(x, Labels{0, 1}, {.label_smoothing = 1.5});
      },
      "cross_entropy: label_smoothing must be from 0 to 1: got 1.5");
  test::expect_error(
      [&] {
        nn::cross_entropy(x, Tensor::zeros({3, 2}));
      },
      "cross_entropy: targets must have the shape of the logits: targets are "
      "[3, 2], logits [2, 3]");
}

TEST(Mse, KnownValues) {
  const Tensor x = Tensor::from({1, 4}, std::vector{1.0f, 2.0f, 3.0f, 4.0f});
  EXPECT_EQ(value(nn::mse(x, Tensor::zeros({1, 4}))), 7.5f);
}

TEST(Mse, Errors) {
  test::expect_error(
      [] {
        nn::mse(Tensor::zeros({2, 3}), Tensor::zeros({3, 2}));
      },
      "mse: both must have one shape, not empty: x is [2, 3], target is [3, 2]");
}

}  // namespace
}  // namespace lamina
