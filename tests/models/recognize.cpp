#include "models/checkpoint/recognize.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "models/load.h"
#include "nn/plan.h"
#include "tests/models/support.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using models::MobileNetV2;
using models::MobileNetV2Options;
using models::Recognition;
using nn::PaddingMode;

struct Case {
  const char* name;
  MobileNetV2Options options;
  std::size_t height, width;
};

class RecognizeTraced : public testing::TestWithParam<Case> {};

TEST_P(RecognizeTraced, FindsOptionsAndTensors) {
  const auto& [name, options, height, width] = GetParam();
  for (const models::NormState norm : {models::NormState::separate, models::NormState::folded}) {
    MobileNetV2 net(options);
    test::randomize(net, 1);
    if (norm == models::NormState::folded) {
      nn::fold_batch_norm(net);
    }
    const Tensor x = test::random_tensor({1, height, width, 3}, 2);
    const Recognition recognition = models::recognize(nn::trace(net, x.shape()));
    ASSERT_TRUE(recognition.network) << recognition.difference;
    EXPECT_EQ(recognition.difference, "");
    const models::Recognized& got = *recognition.network;
    EXPECT_EQ(got.norm, norm);
    EXPECT_EQ(models::channels_for(got.options), models::channels_for(options));
    EXPECT_EQ(got.options.classes, options.classes);
    EXPECT_EQ(got.options.padding, options.padding);
    EXPECT_EQ(got.options.stride, options.stride);
    EXPECT_EQ(got.activation.hi, 6.0f);
    EXPECT_FALSE(got.ends_with_softmax);
    EXPECT_TRUE(got.assumptions.empty());
    if (norm == models::NormState::separate) {
      EXPECT_EQ(got.options.epsilon, options.epsilon);
    }
    MobileNetV2 loaded(got.options);
    models::load(loaded, got.checkpoint, "recognized");
    EXPECT_TRUE(test::same_bits(loaded(x), net(x)));
    std::vector<std::string> assumptions;
    models::read_options(got.checkpoint, "recognized", assumptions);
    EXPECT_TRUE(assumptions.empty()) << assumptions.front();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, RecognizeTraced,
    testing::Values(
        Case{"w100", {.classes = 7}, 64, 64},
        Case{"w140same", {.classes = 3, .width = 1.4f, .padding = PaddingMode::same}, 96, 64},
        Case{"w035", {.classes = 10, .width = 0.35f, .epsilon = 1e-3f}, 64, 96},
        Case{"w025", {.classes = 10, .width = 0.25f}, 32, 32},
        Case{"w010round4", {.classes = 5, .width = 0.1f, .round_to = 4}, 64, 64},
        Case{"last", {.classes = 2, .width = 0.5f, .last_channels = 40}, 32, 34},
        Case{"stride16", {.classes = 2, .width = 0.35f, .stride = 16}, 32, 32},
        Case{"stride8same",
             {.classes = 2, .width = 0.35f, .padding = PaddingMode::same, .stride = 8},
             28,
             28},
        Case{"stride4", {.classes = 2, .width = 0.1f, .stride = 4}, 28, 28},
        Case{"oneOddSide", {.classes = 2, .width = 0.1f, .padding = PaddingMode::same}, 65, 64}),
    [](const auto& one) { return std::string(one.param.name); });

class Recognize : public testing::Test {
 protected:
  Recognize() {
    test::randomize(net_, 1);
    nn::fold_batch_norm(net_);
    graph_ = nn::trace(net_, {1, 64, 64, 3});
  }

  // The node of that name, a convolution's or another's.
  nn::Node& node(const std::string& name) {
    for (nn::Node& node : graph_.nodes) {
      if (node.name == name) {
        return node;
      }
    }
    throw Error("no node " + name);
  }

  nn::ConvolutionNode& convolution(const std::string& name) {
    return std::get<nn::ConvolutionNode>(node(name).operation);
  }

  // Puts an operation behind the node `before`.
  void insert(std::size_t before, nn::Operation operation, const std::string& name) {
    for (nn::Node& node : graph_.nodes) {
      for (std::size_t& input : node.inputs) {
        input += input > before ? 1 : 0;
      }
    }
    for (nn::Node& node : graph_.nodes) {
      for (std::size_t& input : node.inputs) {
        input += input == before ? 1 : 0;
      }
    }
    graph_.nodes.insert(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(before) + 1,
                        {name, std::move(operation), {before}, graph_.nodes[before].shape});
    graph_.output += 1;
  }

  void expect_difference(const std::string& want) const {
    const Recognition recognition = models::recognize(graph_);
    EXPECT_FALSE(recognition.network);
    EXPECT_EQ(recognition.difference, want);
  }

  MobileNetV2 net_{{.classes = 4, .width = 0.1f, .last_channels = 24}};
  nn::Graph graph_;
};

TEST_F(Recognize, SeesASoftmax) {
  graph_.nodes.push_back({"softmax", nn::SoftmaxNode{}, {graph_.output}, {1, 4}});
  ++graph_.output;
  const Recognition recognition = models::recognize(graph_);
  ASSERT_TRUE(recognition.network) << recognition.difference;
  EXPECT_TRUE(recognition.network->ends_with_softmax);
}

TEST_F(Recognize, TellsRelu) {
  for (nn::Node& node : graph_.nodes) {
    auto* convolution = std::get_if<nn::ConvolutionNode>(&node.operation);
    if (convolution != nullptr && convolution->options.bounds.hi == 6.0f) {
      convolution->options.bounds = nn::kReluBounds;
    }
  }
  const Recognition recognition = models::recognize(graph_);
  ASSERT_TRUE(recognition.network) << recognition.difference;
  EXPECT_EQ(recognition.network->activation.hi, nn::kReluBounds.hi);
  convolution("features.3.conv.0.0").options.bounds.hi = 6.0f;
  expect_difference("features.3.conv.0.0 is clamped to at most 6, the layers before to inf");
}

TEST_F(Recognize, TakesClampsOfTheirOwn) {
  convolution("features.0.0").options.bounds = {};
  insert(1, nn::ClampNode{nn::kRelu6Bounds}, "clamp");
  const Recognition recognition = models::recognize(graph_);
  ASSERT_TRUE(recognition.network) << recognition.difference;
  EXPECT_EQ(recognition.network->activation.hi, 6.0f);
}

TEST_F(Recognize, MovesABiasIntoTheMean) {
  MobileNetV2 net({.classes = 4, .width = 0.1f, .last_channels = 24});
  test::randomize(net, 1);
  graph_ = nn::trace(net, {1, 64, 64, 3});
  const Tensor x = test::random_tensor({1, 64, 64, 3}, 2);
  for (nn::Node& node : graph_.nodes) {
    if (auto* convolution = std::get_if<nn::ConvolutionNode>(&node.operation)) {
      convolution->bias = test::random_tensor({convolution->weight.shape()[0]}, 3);
    }
  }
  const Recognition recognition = models::recognize(graph_);
  ASSERT_TRUE(recognition.network) << recognition.difference;
  MobileNetV2 loaded(recognition.network->options);
  models::load(loaded, recognition.network->checkpoint, "recognized");
  const Tensor want = nn::compile(graph_)(x);
  test::expect_near(loaded(x), test::doubles(want), 1e-4);
}

TEST_F(Recognize, SaysWhatTheSizeLeavesOpen) {
  graph_ = nn::trace(net_, {1, 65, 65, 3});
  const Recognition recognition = models::recognize(graph_);
  ASSERT_TRUE(recognition.network) << recognition.difference;
  EXPECT_EQ(recognition.network->options.padding, PaddingMode::symmetric);
  EXPECT_EQ(recognition.network->assumptions,
            std::vector<std::string>{"Padding is taken to be symmetric: at 65 x 65 pixels "
                                     "TensorFlow's is the same."});
}

TEST_F(Recognize, Strides) {
  convolution("features.4.conv.1.0").options.stride = 1;
  expect_difference("features.4.conv.1.0 has stride 1, MobileNetV2 has 2");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  convolution("features.3.conv.1.0").options.stride = 2;
  expect_difference("features.3.conv.1.0 has stride 2, MobileNetV2 has 1");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  convolution("features.2.conv.1.0").options.stride = 1;
  expect_difference("features.2.conv.1.0 has stride 1, MobileNetV2 has 2");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  convolution("features.0.0").options.stride = {2, 1};
  expect_difference("features.0.0 has stride 2 x 1, MobileNetV2 has 2");
}

TEST_F(Recognize, WindowsGroupsAndDilations) {
  convolution("features.1.conv.0.0").options.groups = 1;
  expect_difference("features.1.conv.0.0 has 1 groups, MobileNetV2 has 8");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  convolution("features.1.conv.0.0").options.dilation = 2;
  expect_difference("features.1.conv.0.0 has dilation 2, MobileNetV2 has none");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  convolution("features.1.conv.0.0").weight = Tensor::zeros({8, 5, 5, 1});
  expect_difference("features.1.conv.0.0 has a window of 5 x 5, MobileNetV2 has 3 x 3");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  convolution("features.2.conv.0.0").weight = Tensor::zeros({40, 1, 1, 8});
  expect_difference("features.2.conv.0.0 makes 40 channels, MobileNetV2 makes 48");
}

TEST_F(Recognize, Paddings) {
  convolution("features.0.0").options.padding = {0, 1, 0, 1};
  expect_difference(
      "features.2.conv.1.0 pads 1 pixel each, the layers before as TensorFlow's \"SAME\"");
  convolution("features.0.0").options.padding = {2, 2, 2, 2};
  expect_difference(
      "features.0.0 pads 2, 2, 2 and 2 pixels (above, below, left, right), MobileNetV2 1 each or "
      "as TensorFlow's \"SAME\"");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  convolution("features.18.0").options.padding = {1, 1, 1, 1};
  expect_difference("features.18.0 pads, MobileNetV2 does not there");
}

TEST_F(Recognize, Activations) {
  convolution("features.0.0").options.bounds = {};
  expect_difference("features.0.0 has no activation, MobileNetV2 has ReLU6");
  convolution("features.0.0").options.bounds = {-1.0f, 1.0f};
  expect_difference("features.0.0 is clamped to at least -1, MobileNetV2 to 0");
  convolution("features.0.0").options.bounds = {0.0f, 1.0f};
  expect_difference("features.0.0 is clamped to at most 1, MobileNetV2 to 6");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  convolution("features.1.conv.1").options.bounds = nn::kRelu6Bounds;
  expect_difference("features.1.conv.1 has an activation, MobileNetV2 has none there");
}

TEST_F(Recognize, Residuals) {
  // Block 2 makes as many channels as block 1 at this width, but with stride 2: nothing is added.
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (std::holds_alternative<nn::AddNode>(graph_.nodes[i].operation)) {
      graph_.nodes[i].operation = nn::ClampNode{};
      graph_.nodes[i].inputs.erase(graph_.nodes[i].inputs.begin());
      break;
    }
  }
  expect_difference("features.1 does not add its input, MobileNetV2 does");
}

TEST_F(Recognize, BatchNorms) {
  MobileNetV2 net({.classes = 4, .width = 0.1f, .last_channels = 24});
  graph_ = nn::trace(net, {1, 64, 64, 3});
  nn::Node& norm = node("features.1.conv.0.1");
  std::get<nn::BatchNormNode>(norm.operation).options.epsilon = 0.25f;
  expect_difference("features.1.conv.0.1 has epsilon 0.25, the layers before have 1e-05");
  norm.operation = nn::ClampNode{nn::kRelu6Bounds};
  expect_difference("features.1.conv.0.0 has no batch norm, the layers before have one");
}

TEST_F(Recognize, EndsAndOtherOperations) {
  node("pool").operation = nn::SoftmaxNode{};
  expect_difference(
      "features.18.0 is not followed by an average over all pixels, as in MobileNetV2");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  node("classifier.1").operation = nn::SoftmaxNode{};
  expect_difference("the pool is not followed by a linear layer, as in MobileNetV2");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  graph_.nodes.push_back({"clamp", nn::ClampNode{}, {graph_.output}, {1, 4}});
  ++graph_.output;
  expect_difference("the classifier is not the end, MobileNetV2 has nothing after it");
  graph_ = nn::trace(net_, {1, 64, 64, 3});
  insert(0, nn::ClampNode{}, "clamp");
  expect_difference("features.0.0 is a clamp, MobileNetV2 has a convolution");
  graph_.nodes.resize(1);
  graph_.output = 0;
  expect_difference("features.0.0 is not there, MobileNetV2 has one convolution");
  graph_.nodes[0].shape = {1, 64, 64, 1};
  expect_difference("the input is [1, 64, 64, 1], MobileNetV2 takes [N, H, W, 3]");
}

TEST_F(Recognize, ChannelsOfNoWidth) {
  nn::ConvolutionNode& last = convolution("features.17.conv.2");
  const std::size_t in = last.weight.shape()[3];
  node("features.17.conv.2").shape = {1, 2, 2, 40};
  last.weight = Tensor::zeros({40, 1, 1, in});
  last.bias = Tensor::zeros({40});
  convolution("features.18.0").weight = Tensor::zeros({24, 1, 1, 40});
  expect_difference("the channels 8 8 8 8 8 16 16 40 24 are those of no width");
}

}  // namespace
}  // namespace lamina
