#include <cmath>
#include <gtest/gtest.h>

#include "core/autograd.h"
#include "nn/graph.h"
#include "nn/isa.h"
#include "nn/layers.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

struct Statistics {
  std::vector<double> mean, variance;  // biased
};

Statistics statistics_of(const Tensor& x) {
  const std::size_t channels = x.shape()[x.shape().rank() - 1];
  const double rows = static_cast<double>(x.size() / channels);
  Statistics s{std::vector<double>(channels), std::vector<double>(channels)};
  for (std::size_t i = 0; i < x.size(); ++i) {
    s.mean[i % channels] += double{x.data()[i]} / rows;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    s.variance[i % channels] += std::pow(double{x.data()[i]} - s.mean[i % channels], 2) / rows;
  }
  return s;
}

// Running statistics after one batch: those before are `mean` and `variance` in every channel.
void expect_running(const nn::BatchNorm2d& norm, const Tensor& x, double mean, double variance) {
  const Statistics batch = statistics_of(x);
  const double share = double{norm.momentum()};
  const double rows = static_cast<double>(x.size()) / static_cast<double>(batch.mean.size());
  for (std::size_t c = 0; c < batch.mean.size(); ++c) {
    EXPECT_NEAR(norm.running_mean.data()[c], (1 - share) * mean + share * batch.mean[c], 1e-6);
    EXPECT_NEAR(norm.running_variance.data()[c],
                (1 - share) * variance + share * batch.variance[c] * rows / (rows - 1), 1e-6);
  }
}

class BatchNormTraining : public testing::TestWithParam<std::string> {
 protected:
  BatchNormTraining() : isa_(GetParam()) {}

 private:
  test::ScopedIsa isa_;
};

// Deviations are a thousandth of the means: a sum of squares about zero would have no digits left.
TEST_P(BatchNormTraining, KeepsTheDigitsOfSmallVariances) {
  const std::size_t channels = 19;
  Tensor x = test::random_tensor({4, 90, 91, channels}, 1);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x.data()[i] = 1000.0f + 10.0f * static_cast<float>(i % channels) + x.data()[i];
  }
  Tensor mean = Tensor::zeros({channels});
  Tensor variance = Tensor::zeros({channels});
  const Tensor ones = Tensor::full({channels}, 1.0f);
  const Tensor y = nn::batch_norm_training(x, ones, Tensor::zeros({channels}), mean, variance,
                                           {.momentum = 1.0f});
  const Statistics want = statistics_of(x);
  const double rows = 4.0 * 90.0 * 91.0;
  for (std::size_t c = 0; c < channels; ++c) {
    EXPECT_NEAR(mean.data()[c], want.mean[c], 1e-7 * want.mean[c]);
    const double unbiased = want.variance[c] * rows / (rows - 1);
    EXPECT_NEAR(variance.data()[c], unbiased, 1e-5 * unbiased);
  }
  const Statistics normalized = statistics_of(y);
  for (std::size_t c = 0; c < channels; ++c) {
    EXPECT_NEAR(normalized.mean[c], 0.0, 2e-4);  // 1000 / deviation, in float32
    EXPECT_NEAR(normalized.variance[c], 1.0, 1e-3);
  }
}

TEST_P(BatchNormTraining, MovesTheRunningStatistics) {
  nn::BatchNorm2d norm(7);
  EXPECT_EQ(norm.momentum(), 0.1f);
  norm.train();
  const Tensor x = test::random_tensor({3, 4, 5, 7}, 1);
  norm(x);
  expect_running(norm, x, 0.0, 1.0);
}

INSTANTIATE_TEST_SUITE_P(, BatchNormTraining, testing::ValuesIn(nn::available_isas()),
                         [](const auto& tested) { return tested.param; });

TEST(BatchNormLayer, TakesAnotherMomentum) {
  nn::BatchNorm2d norm(7);
  norm.set_momentum(0.25f);
  norm.train();
  const Tensor x = test::random_tensor({3, 4, 5, 7}, 1);
  norm(x);
  expect_running(norm, x, 0.0, 1.0);
}

TEST(BatchNormLayer, LearnsWithoutGradients) {
  nn::BatchNorm2d norm(7);
  norm.train();
  const Tensor x = test::random_tensor({3, 4, 5, 7}, 1);
  const NoGrad no_grad;
  EXPECT_FALSE(norm(x).is_tracked());
  expect_running(norm, x, 0.0, 1.0);
}

TEST(BatchNormLayer, LearnsNothingInEvaluationOrFrozen) {
  const Tensor x = test::random_tensor({3, 4, 5, 7}, 1);
  for (const bool is_frozen : {false, true}) {
    nn::BatchNorm2d norm(7);
    if (is_frozen) {
      norm.freeze();
      norm.train();
    }
    const Tensor y = norm(x);
    EXPECT_FALSE(y.is_tracked());
    EXPECT_TRUE(test::same_bits(norm.running_mean, Tensor::zeros({7})));
    EXPECT_TRUE(test::same_bits(norm.running_variance, Tensor::full({7}, 1.0f)));
    EXPECT_TRUE(test::same_bits(
        y, nn::batch_norm(x, norm.gamma, norm.beta, norm.running_mean, norm.running_variance)));
  }
}

// A frozen norm still passes gradients on to what is before it.
TEST(BatchNormLayer, FrozenIsDifferentiable) {
  nn::BatchNorm2d norm(2);
  norm.running_variance = Tensor::full({2}, 3.0f);
  norm.freeze();
  norm.train();
  Tensor x = test::random_tensor({1, 1, 3, 2}, 1);
  x.track();
  norm(x).backward(Tensor::full(x.shape(), 1.0f));
  test::expect_near(x.grad(), std::vector<double>(6, 1.0 / std::sqrt(3.0 + 1e-5)), 1e-6);
  EXPECT_TRUE(norm.gamma.grad().empty());
}

TEST(BatchNormErrors, Training) {
  Tensor mean = Tensor::zeros({3});
  Tensor variance = Tensor::full({3}, 1.0f);
  const Tensor three = Tensor::full({3}, 1.0f);
  const auto run = [&](const Shape& x, const Tensor& gamma,
                       const nn::BatchNormTrainingOptions& options) {
    nn::batch_norm_training(Tensor::zeros(x), gamma, three, mean, variance, options);
  };
  test::expect_error(
      [&] {
        run({1, 1, 1, 3}, three, {});
      },
      "batch_norm_training: a channel must have two values or more: input "
      "[1, 1, 1, 3] has 1");
  test::expect_error(
      [&] {
        run({0, 3}, three, {});
      },
      "batch_norm_training: a channel must have two values or more: input [0, 3] "
      "has 0");
  test::expect_error(
      [&] {
        run({2, 3}, three, {.momentum = 1.5f});
      },
      "batch_norm_training: momentum must be from 0 to 1: got 1.5");
  test::expect_error(
      [&] {
        run({2, 3}, three, {.epsilon = -1.0f});
      },
      "batch_norm_training: epsilon must be finite and not negative: got -1");
  test::expect_error(
      [&] {
        run({2, 3}, Tensor::zeros({2}), {});
      },
      "batch_norm_training: gamma must have one value for each output: gamma is "
      "[2], input [2, 3] needs [3]");
  EXPECT_TRUE(test::same_bits(mean, Tensor::zeros({3}))) << "a call that failed changed them";
}

TEST(BatchNormErrors, Momentum) {
  nn::BatchNorm2d norm(3);
  test::expect_error([&] { norm.set_momentum(-0.5f); },
                     "BatchNorm2d: momentum must be from 0 to 1: got -0.5");
}

class TrainsWhileRecorded : public nn::Module {
 public:
  Tensor forward(const Tensor& x) const override {
    Tensor mean = Tensor::zeros({3});
    Tensor variance = Tensor::zeros({3});
    return nn::batch_norm_training(x, mean, mean, mean, variance);
  }
  void members(nn::Members&) override {}
};

class DropsWhileRecorded : public nn::Module {
 public:
  Tensor forward(const Tensor& x) const override {
    Rng rng(1);
    return nn::dropout(x, 0.5f, rng);
  }
  void members(nn::Members&) override {}
};

TEST(TraceErrors, Training) {
  nn::Sequential sequence;
  sequence.emplace<nn::BatchNorm2d>(3u);
  sequence.train();
  test::expect_error(
      [&] {
        nn::trace(sequence, {1, 2, 2, 3});
      },
      "trace: the module must be in evaluation: call eval() first");
  sequence.eval();
  EXPECT_EQ(nn::trace(sequence, {1, 2, 2, 3}).nodes.size(), 2u);
  TrainsWhileRecorded norm;
  test::expect_error(
      [&] {
        nn::trace(norm, {1, 2, 2, 3});
      },
      "batch_norm_training: a recorded network must be in evaluation: call eval() "
      "first");
  DropsWhileRecorded dropout;
  test::expect_error(
      [&] {
        nn::trace(dropout, {1, 3});
      },
      "dropout: a recorded network must be in evaluation: call eval() first");
}

}  // namespace
}  // namespace lamina
