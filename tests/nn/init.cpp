#include "nn/init.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "nn/layers.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

// A dense convolution, a depthwise one with its norm, one with a bias, and a linear layer.
struct Net : nn::Sequential {
  Net() {
    dense = &emplace<nn::Conv2d>(
        nn::Conv2dLayerOptions{.in_channels = 40, .out_channels = 64, .kernel = 3});
    dense->bias = Tensor::full({64}, 9.0f);
    depthwise = &emplace<nn::Conv2d>(nn::Conv2dLayerOptions{
        .in_channels = 512, .out_channels = 512, .kernel = 3, .groups = 512});
    norm = &emplace<nn::BatchNorm2d>(8u);
    for (const nn::NamedTensor& tensor : nn::named_tensors(*norm)) {
      std::ranges::fill(tensor.value->values(), 9.0f);
    }
    linear = &emplace<nn::Linear>(200u, 100u);
    std::ranges::fill(linear->bias.values(), 9.0f);
  }

  nn::Conv2d* dense;
  nn::Conv2d* depthwise;
  nn::BatchNorm2d* norm;
  nn::Linear* linear;
};

bool all_are(const Tensor& x, float value) {
  return std::ranges::all_of(x.values(), [&](float v) { return v == value; });
}

struct Moments {
  double mean, stddev, kurtosis, largest;
};

Moments moments_of(const Tensor& x) {
  const std::vector<double> values = test::doubles(x);
  const auto count = static_cast<double>(values.size());
  Moments result{};
  for (const double value : values) {
    result.mean += value / count;
    result.largest = std::max(result.largest, std::abs(value));
  }
  double square = 0.0;
  double fourth = 0.0;
  for (const double value : values) {
    square += std::pow(value - result.mean, 2) / count;
    fourth += std::pow(value - result.mean, 4) / count;
  }
  result.stddev = std::sqrt(square);
  result.kurtosis = fourth / (square * square);
  return result;
}

// Within five standard errors of a normal distribution's moments.
void expect_normal(const Tensor& x, double stddev) {
  const Moments got = moments_of(x);
  const auto count = static_cast<double>(x.size());
  EXPECT_NEAR(got.mean / stddev, 0.0, 5.0 / std::sqrt(count));
  EXPECT_NEAR(got.stddev / stddev, 1.0, 5.0 / std::sqrt(2.0 * count));
  EXPECT_NEAR(got.kurtosis, 3.0, 5.0 * std::sqrt(24.0 / count));
}

// Of a normal distribution cut at two standard deviations: stddev 0.8796 and kurtosis 2.3655.
void expect_truncated(const Tensor& x, double stddev) {
  const Moments got = moments_of(x);
  const auto count = static_cast<double>(x.size());
  EXPECT_NEAR(got.mean / stddev, 0.0, 5.0 / std::sqrt(count));
  EXPECT_NEAR(got.stddev / stddev, 0.87963, 5.0 / std::sqrt(2.0 * count));
  EXPECT_NEAR(got.kurtosis, 2.3655, 5.0 * std::sqrt(24.0 / count));
  EXPECT_LE(got.largest, 2.0 * stddev * 1.000001);
  EXPECT_GT(got.largest, 1.9 * stddev);
}

void expect_the_rest_constant(const Net& net) {
  EXPECT_TRUE(all_are(net.dense->bias, 0.0f));
  EXPECT_TRUE(all_are(net.linear->bias, 0.0f));
  EXPECT_TRUE(all_are(net.norm->gamma, 1.0f));
  EXPECT_TRUE(all_are(net.norm->beta, 0.0f));
  EXPECT_TRUE(all_are(net.norm->running_mean, 0.0f));
  EXPECT_TRUE(all_are(net.norm->running_variance, 1.0f));
}

TEST(Init, KaimingAsTorchvision) {
  Net net;
  Rng rng(1);
  nn::init_kaiming(net, rng);
  expect_normal(net.dense->weight, std::sqrt(2.0 / (64 * 9)));
  expect_normal(net.depthwise->weight, std::sqrt(2.0 / (512 * 9)));
  expect_normal(net.linear->weight, 0.01);
  expect_the_rest_constant(net);
}

TEST(Init, TruncatedNormalAsTfSlim) {
  Net net;
  Rng rng(1);
  nn::init_truncated_normal(net, rng);
  expect_truncated(net.dense->weight, 0.09);
  expect_truncated(net.depthwise->weight, 0.09);
  expect_truncated(net.linear->weight, 0.09);
  expect_the_rest_constant(net);
}

TEST(Init, HasTheSameBitsForAnyNumberOfThreads) {
  const auto weights = [](std::size_t threads) {
    const test::ScopedThreads scoped(threads);
    Net net;
    Rng rng(5, 6);
    nn::init_kaiming(net, rng);
    return net.depthwise->weight;
  };
  for (const std::size_t threads : {2u, 3u, 4u}) {
    EXPECT_TRUE(test::same_bits(weights(threads), weights(1)));
  }
}

TEST(Init, DependsOnTheWholeGeneratorWhichMovesOn) {
  const auto weight = [](Rng& rng) {
    nn::Linear layer(5, 4);
    nn::init_kaiming(layer, rng);
    return layer.weight;
  };
  Rng rng(1);
  const Tensor first = weight(rng);
  EXPECT_FALSE(test::same_bits(weight(rng), first));
  Rng again(1);
  EXPECT_TRUE(test::same_bits(weight(again), first));
  Rng other_seed(2);
  EXPECT_FALSE(test::same_bits(weight(other_seed), first));
  Rng other_stream(1, 1);
  EXPECT_FALSE(test::same_bits(weight(other_stream), first));
}

TEST(Init, DependsOnATensorsPlaceOnly) {
  const auto last_weight = [](std::size_t features, std::size_t layers) {
    nn::Sequential net;
    for (std::size_t i = 0; i < layers; ++i) {
      net.emplace<nn::Linear>(features, features);
    }
    auto& last = net.emplace<nn::Linear>(5u, 4u);
    Rng rng(1);
    nn::init_kaiming(net, rng);
    return last.weight;
  };
  EXPECT_TRUE(test::same_bits(last_weight(3, 2), last_weight(30, 2)));
  EXPECT_FALSE(test::same_bits(last_weight(3, 2), last_weight(3, 1)));
}

TEST(Init, StandardDeviationMustBePositive) {
  nn::Linear layer(5, 4);
  Rng rng(1);
  test::expect_error([&] { nn::init_truncated_normal(layer, rng, 0.0f); },
                     "init_truncated_normal: stddev must be above 0 and finite: got 0");
}

}  // namespace
}  // namespace lamina
