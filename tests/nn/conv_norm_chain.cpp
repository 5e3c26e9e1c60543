#include <cmath>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "nn/conv_norm.h"
#include "nn/ops.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

// The fused op against conv2d, batch_norm_training and add in turn.
namespace lamina::nn {
namespace {

using test::expect_error;
using test::random_tensor;
using test::same_bits;

struct LayerShape {
  enum class Kind { general, pointwise, depthwise } kind;
  std::size_t channels;  // of the result
  std::size_t stride = 1;
  Padding padding = {1, 1, 1, 1};
};
using Kind = LayerShape::Kind;

struct Case {
  const char* name;
  Shape x;
  std::vector<LayerShape> layers;
  ConvNormChainOptions::Residual residual = ConvNormChainOptions::Residual::none;
};

ConvNorm make_layer(const LayerShape& shape, std::size_t in, std::uint64_t seed) {
  const std::size_t out = shape.kind == Kind::depthwise ? in : shape.channels;
  const std::size_t side = shape.kind == Kind::pointwise ? 1 : 3;
  const bool is_depthwise = shape.kind == Kind::depthwise;
  ConvNorm layer{.weight = random_tensor({out, side, side, is_depthwise ? 1 : in}, seed),
                 .gamma = random_tensor({out}, seed + 1),
                 .beta = random_tensor({out}, seed + 2),
                 .running_mean = random_tensor({out}, seed + 3),
                 .running_variance = Tensor::full({out}, 1.0f)};
  if (shape.kind != Kind::pointwise) {
    layer.options = {.stride = shape.stride, .padding = shape.padding};
  }
  layer.options.groups = is_depthwise ? in : 1;
  return layer;
}

// Everything that a step gives: the result, the gradients, the running statistics.
using Results = std::vector<std::pair<std::string, Tensor>>;

class Step {
 public:
  Step(const Case& shape, Bounds bounds) : case_(shape), x_(random_tensor(shape.x, 1)) {
    std::size_t in = shape.x[3];
    for (const LayerShape& layer : shape.layers) {
      layers_.push_back(make_layer(layer, in, 10 * layers_.size() + 2));
      layers_.back().bounds = &layer == &shape.layers.back() ? Bounds{} : bounds;
      in = layers_.back().weight.shape()[0];
    }
    x_.track();
    for (ConvNorm& layer : layers_) {
      layer.weight.track();
      layer.gamma.track();
      layer.beta.track();
    }
  }

  Results fused(Keep keep = Keep::convolutions) {
    return finish(conv_norm_chain(x_, layers_, {.residual = case_.residual, .keep = keep}));
  }

  Results separate() {
    Tensor y = x_;
    for (ConvNorm& layer : layers_) {
      y = conv2d(y, layer.weight, {}, layer.options);
      y = batch_norm_training(
          y, layer.gamma, layer.beta, layer.running_mean, layer.running_variance,
          {.epsilon = layer.epsilon, .momentum = layer.momentum, .bounds = layer.bounds});
    }
    return finish(case_.residual == ConvNormChainOptions::Residual::input ? add(y, x_) : y);
  }

 private:
  Results finish(const Tensor& y) {
    y.backward(random_tensor(y.shape(), 7));
    Results results = {{"y", y.detached()}, {"x", x_.grad()}};
    for (ConvNorm& layer : layers_) {
      const std::string name = std::to_string(&layer - layers_.data());
      results.insert(results.end(), {{name + ".weight", layer.weight.grad()},
                                     {name + ".gamma", layer.gamma.grad()},
                                     {name + ".beta", layer.beta.grad()},
                                     {name + ".mean", layer.running_mean},
                                     {name + ".variance", layer.running_variance}});
    }
    return results;
  }

  const Case& case_;
  Tensor x_;
  std::vector<ConvNorm> layers_;
};

double largest(const Tensor& tensor) {
  double most = 0.0;
  for (const float value : tensor.values()) {
    most = std::max(most, std::fabs(double{value}));
  }
  return most;
}

// Gradients that cancel, as that of a beta before a norm, are compared with what they are sums of.
void expect_close(const Results& got, const Results& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto& [name, a] = got[i];
    const Tensor& b = want[i].second;
    ASSERT_EQ(a.shape(), b.shape()) << name;
    const double limit = 3e-5 * std::max(largest(b), 30.0);
    for (std::size_t k = 0; k < a.size(); ++k) {
      ASSERT_NEAR(a.data()[k], b.data()[k], limit) << name << '[' << k << ']';
    }
  }
}

void expect_same_bits(const Results& got, const Results& want) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(same_bits(got[i].second, want[i].second)) << got[i].first;
  }
}

constexpr auto kResidual = ConvNormChainOptions::Residual::input;
const Case kCases[] = {
    {"Pointwise", {2, 5, 7, 3}, {{Kind::pointwise, 19}}},
    {"Stem", {3, 17, 14, 3}, {{Kind::general, 20, 2}, {Kind::depthwise, 20}, {Kind::pointwise, 8}}},
    {"Block",
     {2, 14, 14, 24},
     {{Kind::pointwise, 144}, {Kind::depthwise, 144}, {Kind::pointwise, 24}},
     kResidual},
    {"OddStride2", {3, 15, 9, 7}, {{Kind::pointwise, 33}, {Kind::depthwise, 33, 2}}},
    {"SamePadding", {2, 16, 16, 8}, {{Kind::depthwise, 8, 2, {0, 1, 0, 1}}, {Kind::pointwise, 40}}},
    {"Unpadded", {2, 9, 6, 16}, {{Kind::depthwise, 16, 1, {0, 0, 0, 0}}}},
    {"OnePixel", {9, 1, 1, 40}, {{Kind::pointwise, 48}, {Kind::depthwise, 48}}},
    {"OneColumn", {4, 6, 1, 5}, {{Kind::depthwise, 5, 2}, {Kind::pointwise, 3}}},
    {"SmallImages", {70, 2, 3, 24}, {{Kind::depthwise, 24}, {Kind::depthwise, 24, 2}}},
    {"ImagesInGroups",
     {130, 7, 6, 16},
     {{Kind::pointwise, 200}, {Kind::depthwise, 200, 2}, {Kind::depthwise, 200}}},
    {"ManyBands", {2, 61, 57, 48}, {{Kind::depthwise, 48}, {Kind::depthwise, 48, 2}}},
    {"ManyRuns", {5, 40, 37, 16}, {{Kind::pointwise, 100}, {Kind::pointwise, 16}}, kResidual},
    {"FewRows", {128, 1, 1, 160}, {{Kind::pointwise, 320}}},
};

class ConvNormChain : public testing::TestWithParam<Case> {
 protected:
  ~ConvNormChain() override { set_thread_count(threads_); }

 private:
  std::size_t threads_ = thread_count();
};

INSTANTIATE_TEST_SUITE_P(Shapes, ConvNormChain, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

// Without bounds, at which rounding could decide for either side.
TEST_P(ConvNormChain, GivesWhatSeparateOpsGive) {
  expect_close(Step(GetParam(), {}).fused(), Step(GetParam(), {}).separate());
}

TEST_P(ConvNormChain, ForgettingChangesNoBit) {
  expect_same_bits(Step(GetParam(), kRelu6Bounds).fused(Keep::input),
                   Step(GetParam(), kRelu6Bounds).fused());
}

TEST_P(ConvNormChain, ThreadsChangeNoBit) {
  set_thread_count(1);
  const Results want = Step(GetParam(), kRelu6Bounds).fused();
  for (const std::size_t threads : {2u, 3u, 4u}) {
    set_thread_count(threads);
    expect_same_bits(Step(GetParam(), kRelu6Bounds).fused(), want);
  }
}

// Sums about a point far from the mean would keep no digit of the variance.
TEST(ConvNormChainStatistics, KeepTheDigitsOfSmallVariances) {
  Tensor x = random_tensor({8, 16, 16, 1}, 3);
  double sum = 0.0;
  for (float& value : x.values()) {
    value += 3000.0f;
    sum += double{value};
  }
  const double mean = sum / static_cast<double>(x.size());
  double squares = 0.0;
  for (const float value : x.values()) {
    squares += (value - mean) * (value - mean);
  }
  const ConvNorm layer{.weight = Tensor::full({1, 1, 1, 1}, 1.0f),
                       .gamma = Tensor::full({1}, 1.0f),
                       .beta = Tensor::zeros({1}),
                       .running_mean = Tensor::zeros({1}),
                       .running_variance = Tensor::zeros({1}),
                       .momentum = 1.0f};
  conv_norm_chain(x, {layer});
  const double variance = squares / static_cast<double>(x.size() - 1);
  EXPECT_NEAR(std::as_const(layer.running_variance).data()[0], variance, 1e-5 * variance);
  EXPECT_NEAR(std::as_const(layer.running_mean).data()[0], mean, 1e-3);
}

TEST(ConvNormChainErrors, NameWhatDoesNotFit) {
  const Tensor x = random_tensor({2, 4, 4, 6}, 1);
  ConvNorm layer = make_layer({Kind::pointwise, 5}, 6, 2);
  expect_error([&] { conv_norm_chain(x, {}); }, "conv_norm_chain: there must be a layer");
  ConvNorm changed = layer;
  changed.epsilon = -1.0f;
  expect_error([&] { conv_norm_chain(x, {changed}); },
               "conv_norm_chain: epsilon must be finite and not negative: got -1");
  changed = layer;
  changed.momentum = 7.0f;
  expect_error([&] { conv_norm_chain(x, {changed}); },
               "conv_norm_chain: momentum must be from 0 to 1: got 7");
  changed = layer;
  changed.gamma = Tensor::zeros({4});
  expect_error([&] { conv_norm_chain(x, {changed}); },
               "conv_norm_chain: gamma must have one value for each output: gamma is [4], weight "
               "[5, 1, 1, 6] needs [5]");
  expect_error(
      [&] {
        conv_norm_chain(random_tensor({1, 1, 1, 6}, 1), {layer});
      },
      "conv_norm_chain: statistics need at least 2 values a channel: a result is "
      "[1, 1, 1, 5]");
  const ConvNorm second = make_layer({Kind::general, 5}, 5, 3);
  expect_error(
      [&] {
        conv_norm_chain(x, {layer, second});
      },
      "conv_norm_chain: layers must be 1x1, depthwise 3x3 or first of the chain");
}

}  // namespace
}  // namespace lamina::nn
