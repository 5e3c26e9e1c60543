#include "nn/layers.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using Activation = nn::ConvNormActivation::Activation;

void randomize(nn::Module& module) {
  std::uint64_t seed = 100;
  for (const nn::NamedTensor& tensor : nn::named_tensors(module)) {
    const Tensor values = test::random_tensor(tensor.value->shape(), seed++);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float value = values.data()[i];
      tensor.value->data()[i] = tensor.name.ends_with("running_var") ? value + 1.5f : value;
    }
  }
}

TEST(Conv2dLayer, PadsAsItsModeSays) {
  nn::Conv2d symmetric({.in_channels = 2, .out_channels = 2, .kernel = {3, 5}, .dilation = 2});
  EXPECT_EQ(symmetric.op_options(9).padding, (nn::Padding{2, 2, 4, 4}));
  nn::Conv2d same({.in_channels = 2,
                   .out_channels = 2,
                   .kernel = 3,
                   .stride = 2,
                   .padding = nn::PaddingMode::same});
  EXPECT_EQ(same.op_options({8, 9}).padding, (nn::Padding{0, 1, 1, 1}));
  EXPECT_EQ(same(Tensor::zeros({1, 8, 9, 2})).shape(), (Shape{1, 4, 5, 2}));
}

TEST(Conv2dLayer, BiasIsAMemberOnceSet) {
  nn::Conv2d layer({.in_channels = 4, .out_channels = 6, .kernel = {1, 3}, .groups = 2});
  EXPECT_EQ(layer.weight.shape(), (Shape{6, 1, 3, 2}));
  EXPECT_EQ(nn::named_tensors(layer).size(), 1u);
  layer.bias = Tensor::full({6}, 2.5f);
  EXPECT_EQ(nn::named_tensors(layer).back().name, "bias");
  EXPECT_EQ(layer(Tensor::zeros({1, 1, 3, 4})).data()[5], 2.5f);
}

TEST(Conv2dLayer, RefusesBadOptions) {
  test::expect_error([] { nn::Conv2d({.in_channels = 6, .out_channels = 4, .groups = 4}); },
                     "Conv2d: channels must be positive multiples of the groups: 6 to 4 channels, "
                     "4 groups");
  test::expect_error([] { nn::Conv2d({.in_channels = 0, .out_channels = 4}); },
                     "Conv2d: channels must be positive multiples of the groups: 0 to 4 channels, "
                     "1 group");
  test::expect_error(
      [] {
        nn::Conv2d({.in_channels = 1, .out_channels = 1, .kernel = {3, 0}});
      },
      "Conv2d: kernel must be at least 1 x 1: got 3 x 0");
  const nn::Conv2d layer({.in_channels = 1, .out_channels = 1});
  test::expect_error(
      [&] {
        layer(Tensor::zeros({3, 3, 1}));
      },
      "Conv2d: input must be [N, H, W, C]: got [3, 3, 1]");
}

TEST(LinearLayer, RefusesNoFeatures) {
  test::expect_error([] { nn::Linear(0, 3); }, "Linear: features must be positive: 0 to 3");
}

TEST(DropoutLayer, LeavesValuesAsTheyAre) {
  const Tensor x = test::random_tensor({3, 4}, 1);
  EXPECT_TRUE(test::same_bits(nn::Dropout(0.5f)(x), x));
  test::expect_error([] { nn::Dropout(1.0f); },
                     "Dropout: rate must be at least 0 and below 1: got 1");
}

TEST(SequentialLayer, RunsItsPartsInOrder) {
  nn::Sequential sequence;
  auto& first = sequence.emplace<nn::Linear>(2u, 3u);
  sequence.emplace<nn::Relu6>();
  first.bias = Tensor::full({3}, 9.0f);
  const Tensor y = sequence(Tensor::zeros({1, 2}));
  EXPECT_EQ(std::vector<float>(y.data(), y.data() + 3), (std::vector<float>(3, 6.0f)));
  EXPECT_EQ(sequence.size(), 2u);
  EXPECT_EQ(&sequence[0], &first);
}

std::unique_ptr<nn::ConvNormActivation> random_layer(Activation activation) {
  auto layer = std::make_unique<nn::ConvNormActivation>(
      nn::Conv2dLayerOptions{.in_channels = 5, .out_channels = 9, .kernel = 3}, activation, 0.01f);
  randomize(*layer);
  return layer;
}

TEST(ConvNormActivation, IsItsThreeOpsInTurn) {
  const auto layer = random_layer(Activation::relu6);
  const Tensor x = test::random_tensor({2, 6, 7, 5}, 1);
  const nn::BatchNorm2d& norm = *layer->norm();
  const Tensor convolved =
      nn::conv2d(x, layer->convolution().weight, Tensor(), {.padding = {1, 1, 1, 1}});
  const Tensor want = nn::relu6(nn::batch_norm(convolved, norm.gamma, norm.beta, norm.running_mean,
                                               norm.running_variance, {.epsilon = 0.01f}));
  EXPECT_TRUE(test::same_bits(layer->forward(x), want));
}

TEST(ConvNormActivation, FoldsToTheSameFunction) {
  for (const Activation activation : {Activation::none, Activation::relu6}) {
    const auto layer = random_layer(activation);
    const Tensor x = test::random_tensor({2, 6, 7, 5}, 1);
    const Tensor before = layer->forward(x);
    const Tensor shared = layer->convolution().weight;
    const Tensor weight = shared.clone();
    nn::fold_batch_norm(*layer);
    EXPECT_FALSE(layer->norm());
    EXPECT_TRUE(test::same_bits(shared, weight)) << "folding changed a tensor it does not own";
    test::expect_near(layer->forward(x), test::doubles(before), 1e-5);
  }
}

TEST(ConvNormActivation, FoldsOnce) {
  const auto layer = random_layer(Activation::none);
  layer->fold();
  const Tensor weight = layer->convolution().weight.clone();
  layer->fold();
  EXPECT_TRUE(test::same_bits(layer->convolution().weight, weight));
  std::vector<nn::NamedTensor> tensors = nn::named_tensors(*layer);
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].name, "0.weight");
  EXPECT_EQ(tensors[1].name, "0.bias");
}

}  // namespace
}  // namespace lamina
