#include "models/mobilenet_v2.h"

#include <gtest/gtest.h>
#include <limits>

#include "tests/models/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using models::Channels;
using models::MobileNetV2;
using models::MobileNetV2Options;

TEST(MakeDivisible, RoundsToTheNearestAndNeverLosesATenth) {
  EXPECT_EQ(models::make_divisible(32, 8), 32u);
  EXPECT_EQ(models::make_divisible(11.2, 8), 16u);  // 8 would lose more than a tenth
  EXPECT_EQ(models::make_divisible(33.6, 8), 32u);
  EXPECT_EQ(models::make_divisible(12, 8), 16u);  // halves go up
  EXPECT_EQ(models::make_divisible(1, 8), 8u);
  EXPECT_EQ(models::make_divisible(9.6, 4), 12u);
  EXPECT_EQ(models::make_divisible(10.4, 1), 10u);
  EXPECT_EQ(models::make_divisible(1.9, 1), 2u);
  EXPECT_EQ(models::make_divisible(27.6, 5), 30u);
}

// Computed in Python's doubles from the published rule.
TEST(MobileNetV2Channels, AreThePublishedOnes) {
  const auto of = [](float width) { return models::channels_for({.width = width}); };
  EXPECT_EQ(of(1.0f), (Channels{32, {16, 24, 32, 64, 96, 160, 320}, 1280}));
  EXPECT_EQ(of(0.35f), (Channels{16, {8, 8, 16, 24, 32, 56, 112}, 1280}));
  EXPECT_EQ(of(0.5f), (Channels{16, {8, 16, 16, 32, 48, 80, 160}, 1280}));
  EXPECT_EQ(of(0.75f), (Channels{24, {16, 24, 24, 48, 72, 120, 240}, 1280}));
  EXPECT_EQ(of(1.3f), (Channels{40, {24, 32, 40, 80, 128, 208, 416}, 1664}));
  EXPECT_EQ(of(1.4f), (Channels{48, {24, 32, 48, 88, 136, 224, 448}, 1792}));
  EXPECT_EQ(of(2.0f), (Channels{64, {32, 48, 64, 128, 192, 320, 640}, 2560}));
}

// 160 x 0.175 is 28, halfway between multiples of 8; 160 x 0.175f is below it.
TEST(MobileNetV2Channels, TakeTheWidthAsTheDecimalItPrintsAs) {
  EXPECT_EQ(models::channels_for({.width = 0.175f}),
            (Channels{8, {8, 8, 8, 16, 16, 32, 56}, 1280}));
}

TEST(MobileNetV2Channels, FollowRoundToAndLastChannels) {
  EXPECT_EQ(models::channels_for({.width = 0.1f, .round_to = 4}),
            (Channels{4, {4, 4, 4, 8, 12, 16, 32}, 1280}));
  EXPECT_EQ(models::channels_for({.width = 1.4f, .last_channels = 100}).last, 100u);
  EXPECT_EQ(MobileNetV2({.width = 0.1f}).options().last_channels, 1280u);
}

void expect_refused(const MobileNetV2Options& options, const std::string& message) {
  test::expect_error([&] { MobileNetV2 net(options); }, message);
}

TEST(MobileNetV2Errors, Options) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  expect_refused({.classes = 0}, "MobileNetV2: classes must be at least 1: got 0");
  const std::string width = "MobileNetV2: width must be above 0 and at most 1000: got ";
  expect_refused({.width = 0.0f}, width + "0");
  expect_refused({.width = -1.0f}, width + "-1");
  expect_refused({.width = infinity}, width + "inf");
  expect_refused({.width = nan}, width + "nan");
  expect_refused({.dropout = 1.0f}, "MobileNetV2: dropout must be at least 0 and below 1: got 1");
  expect_refused({.epsilon = 0.0f}, "MobileNetV2: epsilon must be above 0 and finite: got 0");
  expect_refused({.round_to = 0}, "MobileNetV2: round_to must be from 1 to 1024: got 0");
}

TEST(MobileNetV2Errors, Inputs) {
  const MobileNetV2 net({.classes = 3, .width = 0.1f});
  const std::string rule = "MobileNetV2: input must be [N, H, W, 3] with H and W at least 32: got ";
  for (const auto& tested : {std::pair<Shape, std::string>{{224, 224, 3}, "[224, 224, 3]"},
                             {{1, 3, 224, 224}, "[1, 3, 224, 224]"},
                             {{1, 31, 32, 3}, "[1, 31, 32, 3]"},
                             {{1, 32, 31, 3}, "[1, 32, 31, 3]"}}) {
    test::expect_error([&] { net(Tensor::zeros(tested.first)); }, rule + tested.second);
    test::expect_error([&] { net.layers(tested.first); }, rule + tested.second);
  }
}

TEST(MobileNetV2, TakesAnySizeFrom32AndAnyBatch) {
  for (const nn::PaddingMode padding : {nn::PaddingMode::symmetric, nn::PaddingMode::same}) {
    MobileNetV2 net({.classes = 3, .width = 0.1f, .padding = padding});
    test::randomize(net, 1);
    for (const Shape& shape : {Shape{1, 32, 32, 3}, Shape{2, 33, 47, 3}, Shape{0, 32, 32, 3}}) {
      const Tensor x = test::random_tensor(shape, 2);
      EXPECT_EQ(net(x).shape(), (Shape{shape[0], 3}));
      EXPECT_EQ(net.features(x).shape(), (Shape{shape[0], 1280}));
      EXPECT_EQ(net.layers(shape).back().output, (Shape{shape[0], 3}));
    }
  }
}

TEST(MobileNetV2, FoldsToTheSameFunction) {
  MobileNetV2 net({.classes = 7, .width = 0.35f});
  test::randomize(net, 1);
  const Tensor x = test::random_tensor({2, 40, 36, 3}, 2);
  const Tensor before = net(x);
  nn::fold_batch_norm(net);
  EXPECT_EQ(nn::named_tensors(net).size(), 2u * 53u);
  test::expect_near(net(x), test::doubles(before), 1e-5);
}

TEST(MobileNetV2, LayersAreWhatTheForwardPassComputes) {
  MobileNetV2 net({.classes = 5, .width = 0.1f, .padding = nn::PaddingMode::same});
  test::randomize(net, 1);
  nn::fold_batch_norm(net);
  const Tensor x = test::random_tensor({2, 45, 50, 3}, 2);
  Tensor y = x;
  Tensor block_input;
  for (const models::LayerInfo& layer : net.layers(x.shape())) {
    ASSERT_EQ(layer.input, y.shape()) << layer.name;
    const auto tensor = [&](const std::string& suffix) {
      for (const nn::NamedTensor& named : nn::named_tensors(net)) {
        if (named.name == layer.name + suffix) {
          return *named.value;
        }
      }
      return Tensor();
    };
    if (layer.name.ends_with(".conv.0.0")) {
      block_input = y;
    }
    switch (layer.kind) {
      case models::LayerInfo::Kind::add:
        y = nn::add(block_input, y);
        break;
      case models::LayerInfo::Kind::pool:
        y = nn::global_average_pool(y);
        break;
      case models::LayerInfo::Kind::linear:
        y = nn::linear(y, tensor(".weight"), tensor(".bias"));
        break;
      default:
        y = nn::conv2d(y, tensor(".weight"), tensor(".bias"), layer.options);
    }
    ASSERT_EQ(layer.output, y.shape()) << layer.name;
  }
  EXPECT_TRUE(test::same_bits(y, net(x)));
}

}  // namespace
}  // namespace lamina
