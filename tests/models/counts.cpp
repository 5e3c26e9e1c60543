#include <cmath>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "models/mobilenet_v2.h"

// Published counts: the paper, TF-slim's table, torchvision, MMClassification.
namespace lamina {
namespace {

using models::LayerInfo;

std::size_t multiply_adds(const std::vector<LayerInfo>& layers) {
  std::size_t sum = 0;
  for (const LayerInfo& layer : layers) {
    sum += layer.multiply_adds;
  }
  return sum;
}

std::size_t parameters(models::MobileNetV2& net) {
  std::size_t sum = 0;
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    sum += tensor.kind == nn::TensorKind::parameter ? tensor.value->size() : 0;
  }
  return sum;
}

TEST(Counts, ParametersAreThePublishedOnes) {
  models::MobileNetV2 net;
  EXPECT_EQ(parameters(net), 3504872u);                  // torchvision, mmcls
  EXPECT_EQ(nn::named_tensors(net).size(), 314u - 52u);  // less one counter for each batch norm
  models::MobileNetV2 with_background({.classes = 1001});
  EXPECT_EQ(parameters(with_background), 3506153u);
}

TEST(Counts, LayersSumUpToThePublishedMultiplyAdds) {
  const models::MobileNetV2 net;
  const std::vector<LayerInfo> layers = net.layers({1, 224, 224, 3});
  EXPECT_EQ(layers.size(), 52u + 10u + 2u);
  EXPECT_EQ(multiply_adds(layers), 300774272u);
  EXPECT_EQ(multiply_adds(layers) - layers.back().multiply_adds, 299494272u);
  EXPECT_EQ(multiply_adds(net.layers({5, 224, 224, 3})), 5u * 300774272u);
}

TEST(Counts, LayerParametersAreThoseOfTheFoldedNetwork) {
  models::MobileNetV2 net;
  std::size_t sum = 0;
  for (const LayerInfo& layer : net.layers({1, 224, 224, 3})) {
    sum += layer.parameters;
  }
  nn::fold_batch_norm(net);
  EXPECT_EQ(sum, parameters(net));
  EXPECT_EQ(sum, 3470760u + 34112u / 2);
}

// 32 / 8 and so on; the paper's network leaves one pixel of such images.
TEST(Counts, SmallStridesKeepPixelsOfSmallImages) {
  for (const auto& [stride, side] :
       {std::pair{4u, 8u}, std::pair{8u, 4u}, std::pair{16u, 2u}, std::pair{32u, 1u}}) {
    const models::MobileNetV2 net({.stride = stride});
    const std::vector<LayerInfo> layers = net.layers({1, 32, 32, 3});
    EXPECT_EQ(layers[layers.size() - 3].output, (Shape{1, side, side, 1280})) << stride;
  }
}

// MMClassification counts multiply-adds, 2 for each value out of a batch norm, 1 for each out of a
// ReLU6 and into the pool, and leaves the classifier out: "0.319 GFLOPs".
TEST(Counts, MmclsFigureFollows) {
  const models::MobileNetV2 net;
  std::size_t flops = 0;
  for (const LayerInfo& layer : net.layers({1, 224, 224, 3})) {
    switch (layer.kind) {
      case LayerInfo::Kind::linear:
      case LayerInfo::Kind::add:
        break;
      case LayerInfo::Kind::pool:
        flops += layer.input.size();
        break;
      default:
        flops += layer.multiply_adds + 2 * layer.output.size() +
                 (std::isfinite(layer.options.bounds.hi) ? layer.output.size() : 0);
    }
  }
  EXPECT_EQ(flops, 319019008u);
}

TEST(Counts, LayersAreSplitAsPublished) {
  const models::MobileNetV2 net;
  const auto layers = net.layers({1, 224, 224, 3});
  const auto share = [&](LayerInfo::Kind kind) {
    double sum = 0.0;
    for (const LayerInfo& layer : layers) {
      sum += layer.kind == kind ? static_cast<double>(layer.multiply_adds) : 0.0;
    }
    return std::round(sum / 300774272.0 * 1000.0) / 10.0;
  };
  EXPECT_EQ(share(LayerInfo::Kind::pointwise), 89.1);
  EXPECT_EQ(share(LayerInfo::Kind::depthwise), 6.9);
  EXPECT_EQ(share(LayerInfo::Kind::convolution), 3.6);
  EXPECT_EQ(share(LayerInfo::Kind::linear), 0.4);
}

struct Row {
  float width;
  double megaparameters;              // batch norm left out
  std::vector<std::size_t> millions;  // multiply-adds at 224, 192, 160, 128, 96
};

TEST(Counts, WidthsAndResolutionsAreThoseOfTheTable) {
  const std::vector<Row> rows = {{1.4f, 6.06, {582}},
                                 {1.3f, 5.34, {509}},
                                 {1.0f, 3.47, {300, 221, 154, 99, 56}},
                                 {0.75f, 2.61, {209, 153, 107, 69, 39}},
                                 {0.5f, 1.95, {97, 71, 50, 32, 18}},
                                 {0.35f, 1.66, {59, 43, 30, 20, 11}}};
  for (const Row& row : rows) {
    models::MobileNetV2 net({.width = row.width});
    std::size_t norms = 0;
    for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
      norms += tensor.kind == nn::TensorKind::buffer ? tensor.value->size() : 0;
    }
    EXPECT_NEAR(static_cast<double>(parameters(net) - norms) / 1e6, row.megaparameters, 0.0051);
    std::size_t side = 224;
    for (const std::size_t millions : row.millions) {
      EXPECT_EQ(multiply_adds(net.layers({1, side, side, 3})) / 1000000, millions)
          << row.width << " at " << side;
      side -= 32;
    }
  }
}

TEST(Counts, WidthATenthWithMultiplesOfFour) {
  models::MobileNetV2 net({.width = 0.1f, .round_to = 4});
  EXPECT_EQ(parameters(net), 1356696u);
  EXPECT_NEAR(static_cast<double>(multiply_adds(net.layers({1, 224, 224, 3}))) / 1e6, 12.92, 0.005);
}

}  // namespace
}  // namespace lamina
