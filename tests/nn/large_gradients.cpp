#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <string>

#include "core/random.h"
#include "nn/isa.h"
#include "nn/loss.h"
#include "nn/ops.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

// Gradients at sizes where work is cut into blocks.
namespace lamina {
namespace {

struct Case {
  const char* name;
  Shape x, w;
  std::function<Tensor(const Tensor& x, const Tensor& w)> op;
};

Tensor convolve(const Tensor& x, const Tensor& w, const nn::Conv2dOptions& options) {
  return nn::conv2d(x, w, Tensor(), options);
}

Tensor normalize(const Tensor& x, const Tensor& w) {
  Tensor mean = Tensor::zeros(w.shape());
  Tensor variance = Tensor::full(w.shape(), 1.0f);
  return nn::batch_norm_training(x, w, Tensor::zeros(w.shape()), mean, variance,
                                 {.bounds = nn::kRelu6Bounds});
}

const Case kLinear[] = {
    {"PointwiseManyRows",
     {3, 70, 71, 16},
     {24, 1, 1, 16},
     [](const Tensor& x, const Tensor& w) { return convolve(x, w, {}); }},
    {"PointwiseManyChannels",
     {2, 13, 14, 200},
     {330, 1, 1, 200},
     [](const Tensor& x, const Tensor& w) { return convolve(x, w, {}); }},
    {"Stem",
     {3, 63, 64, 3},
     {24, 3, 3, 3},
     [](const Tensor& x, const Tensor& w) {
       return convolve(x, w, {.stride = 2, .padding = {1, 1, 1, 1}});
     }},
    {"Groups",
     {5, 17, 19, 24},
     {32, 3, 3, 6},
     [](const Tensor& x, const Tensor& w) {
       return convolve(x, w, {.padding = {1, 1, 1, 1}, .groups = 4});
     }},
    {"Depthwise",
     {3, 40, 41, 72},
     {72, 3, 3, 1},
     [](const Tensor& x, const Tensor& w) {
       return convolve(x, w, {.padding = {1, 1, 1, 1}, .groups = 72});
     }},
    {"DepthwiseStride",
     {3, 40, 41, 72},
     {72, 3, 3, 1},
     [](const Tensor& x, const Tensor& w) {
       return convolve(x, w, {.stride = 2, .padding = {1, 1, 1, 1}, .groups = 72});
     }},
    {"DepthwiseFive",
     {2, 30, 31, 40},
     {40, 5, 5, 1},
     [](const Tensor& x, const Tensor& w) {
       return convolve(x, w, {.padding = {2, 2, 2, 2}, .groups = 40});
     }},
    {"Linear",
     {300, 257},
     {130, 257},
     [](const Tensor& x, const Tensor& w) { return nn::linear(x, w, Tensor()); }},
    {"Pool",
     {11, 9, 9, 700},
     {1},
     [](const Tensor& x, const Tensor&) { return nn::global_average_pool(x); }},
    {"Dropout",
     {50, 1280},
     {1},
     [](const Tensor& x, const Tensor&) {
       Rng rng(5);
       return nn::dropout(x, 0.3f, rng);
     }},
};

const Case kOthers[] = {
    {"BatchNormTraining", {5, 33, 35, 24}, {24}, normalize},
    {"Softmax", {300, 170}, {1}, [](const Tensor& x, const Tensor&) { return nn::softmax(x); }},
    {"CrossEntropy",
     {300, 170},
     {1},
     [](const Tensor& x, const Tensor&) {
       return nn::cross_entropy(x, std::vector<std::uint32_t>(300, 7), {.label_smoothing = 0.1});
     }},
    {"Mse", {300, 170}, {300, 170}, [](const Tensor& x, const Tensor& w) { return nn::mse(x, w); }},
};

double dot(const Tensor& a, const Tensor& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += double{a.data()[i]} * double{b.data()[i]};
  }
  return sum;
}

double norm(const Tensor& a) { return std::sqrt(dot(a, a)); }

struct Result {
  Tensor y, dy, dx, dw;
};

Result differentiate(const Case& c, Tensor x, Tensor w) {
  x.track();
  w.track();
  const Tensor y = c.op(x, w);
  const Tensor dy = test::random_tensor(y.shape(), 3);
  y.backward(dy);
  return {y.detached(), dy, x.grad(), w.grad()};
}

class LargeGradients : public testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  LargeGradients() : isa_(std::get<0>(GetParam())) {}
  const Case& tested() const { return std::get<1>(GetParam()); }

  const Tensor x_ = test::random_tensor(tested().x, 1);
  const Tensor w_ = test::random_tensor(tested().w, 2);

 private:
  test::ScopedIsa isa_;
};

class LinearGradients : public LargeGradients {};

// <f(x), dy> = <x, dx> for what is linear in x, and the same for w.
TEST_P(LinearGradients, AreAdjoint) {
  const Result r = differentiate(tested(), x_, w_);
  const double want = dot(r.y, r.dy);
  const double tolerance = 1e-6 * norm(r.y) * norm(r.dy);
  EXPECT_NEAR(dot(x_, r.dx), want, tolerance);
  if (!r.dw.empty()) {
    EXPECT_NEAR(dot(w_, r.dw), want, tolerance);
  }
  // A gradient that is right along x only would not be for another input.
  const Tensor other = test::random_tensor(tested().x, 4);
  EXPECT_NEAR(dot(other, r.dx), dot(tested().op(other, w_), r.dy), tolerance);
}

TEST_P(LargeGradients, HaveTheSameBitsForAnyNumberOfThreads) {
  const test::ScopedThreads one(1);
  const Result want = differentiate(tested(), x_, w_);
  for (std::size_t threads = 2; threads <= 4; ++threads) {
    const test::ScopedThreads many(threads);
    const Result got = differentiate(tested(), x_, w_);
    EXPECT_TRUE(test::same_bits(got.y, want.y)) << threads << " threads";
    EXPECT_TRUE(test::same_bits(got.dx, want.dx)) << threads << " threads";
    EXPECT_TRUE(test::same_bits(got.dw, want.dw)) << threads << " threads";
  }
}

const auto kIsas = testing::ValuesIn(nn::available_isas());
const auto kName = [](const auto& tested) {
  return std::get<0>(tested.param) + std::get<1>(tested.param).name;
};

INSTANTIATE_TEST_SUITE_P(, LinearGradients, testing::Combine(kIsas, testing::ValuesIn(kLinear)),
                         kName);
INSTANTIATE_TEST_SUITE_P(Linear, LargeGradients,
                         testing::Combine(kIsas, testing::ValuesIn(kLinear)), kName);
INSTANTIATE_TEST_SUITE_P(Others, LargeGradients,
                         testing::Combine(kIsas, testing::ValuesIn(kOthers)), kName);

class LongSums : public testing::TestWithParam<std::string> {
 protected:
  LongSums() : isa_(GetParam()) {}

  // Values in [0, 1), whose sums grow.
  static Tensor positive(const Shape& shape, std::uint64_t seed) {
    Tensor x = test::random_tensor(shape, seed);
    for (float& value : x.values()) {
      value = std::abs(value);
    }
    return x;
  }

 private:
  test::ScopedIsa isa_;
};

TEST_P(LongSums, KeepTheDigitsOfWeightGradients) {
  const Tensor x = positive({1, 640, 640, 2}, 1);
  const Tensor dy = positive({1, 640, 640, 3}, 2);
  Tensor w = Tensor::zeros({3, 1, 1, 2});
  Tensor bias = Tensor::zeros({3});
  w.track();
  bias.track();
  nn::conv2d(x, w, bias).backward(dy);
  std::vector<double> dw(6);
  std::vector<double> dbias(3);
  for (std::size_t i = 0; i < dy.size(); ++i) {
    for (std::size_t c = 0; c < 2; ++c) {
      dw[i % 3 * 2 + c] += double{dy.data()[i]} * double{x.data()[i / 3 * 2 + c]};
    }
    dbias[i % 3] += double{dy.data()[i]};
  }
  test::expect_near(w.grad(), dw, 1e-6 * dw[0]);
  test::expect_near(bias.grad(), dbias, 1e-6 * dbias[0]);
}

TEST_P(LongSums, KeepTheDigitsOfDepthwiseWeightGradients) {
  const Tensor x = positive({4, 300, 301, 3}, 1);
  const Tensor dy = positive({4, 300, 301, 3}, 2);
  Tensor w = Tensor::zeros({3, 3, 3, 1});
  w.track();
  nn::conv2d(x, w, Tensor(), {.padding = {1, 1, 1, 1}, .groups = 3}).backward(dy);
  std::vector<double> center(3);
  for (std::size_t i = 0; i < dy.size(); ++i) {
    center[i % 3] += double{dy.data()[i]} * double{x.data()[i]};
  }
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(w.grad().data()[c * 9 + 4], center[c], 1e-6 * center[c]);
  }
}

INSTANTIATE_TEST_SUITE_P(, LongSums, testing::ValuesIn(nn::available_isas()),
                         [](const auto& tested) { return tested.param; });

TEST(SavedTensors, MayNotChangeBeforeTheyAreUsed) {
  const Tensor x = test::random_tensor({1, 2, 2, 3}, 1);
  Tensor w = test::random_tensor({4, 1, 1, 3}, 2);
  Tensor input = x.clone();
  w.track();
  const Tensor y = nn::conv2d(input, w, Tensor());
  input.data()[0] = 5.0f;
  test::expect_error(
      [&] { y.backward(y.detached()); },
      "backward: conv2d saved a tensor [1, 2, 2, 3] whose values may have been changed in "
      "place since");
}

// What no gradient needs is not kept: w may change when only it is tracked.
TEST(SavedTensors, AreOnlyThoseThatAGradientNeeds) {
  const Tensor x = test::random_tensor({1, 2, 2, 3}, 1);
  Tensor w = test::random_tensor({4, 1, 1, 3}, 2);
  w.track();
  const Tensor y = nn::conv2d(x, w, Tensor());
  w.data()[0] = 5.0f;
  y.backward(y.detached());
  EXPECT_EQ(w.grad().shape(), w.shape());
}

}  // namespace
}  // namespace lamina
