#include <gtest/gtest.h>

#include "data/preprocessing.h"
#include "models/checkpoint/tflite.h"
#include "nn/plan.h"
#include "tests/models/tflite/tflite_file.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using models::GraphFile;
using models::tflite::ActivationCode;
using models::tflite::ConvolutionOptionsT;
using models::tflite::DepthwiseOptionsT;
using models::tflite::OperatorKind;
using models::tflite::PaddingCode;
using test::TfliteFile;
using Element = TfliteFile::Element;

GraphFile parse(const TfliteFile& file) { return models::parse_tflite(file.bytes(), "test"); }

const nn::ConvolutionNode& convolution(const nn::Graph& graph, std::size_t node) {
  return std::get<nn::ConvolutionNode>(graph.nodes[node].operation);
}

ConvolutionOptionsT pointwise() {
  ConvolutionOptionsT options;
  options.stride_h = options.stride_w = 1;
  options.padding = PaddingCode::valid;
  return options;
}

// The operations one by one, by the functions that compute them without a graph.
TEST(TfliteOperators, ComputeWhatTheOperationsDo) {
  const GraphFile file = parse(test::float_network());
  const Tensor x = test::random_tensor({1, 6, 6, 3}, 9);
  const Tensor first =
      nn::conv2d(x, test::random_tensor({4, 3, 3, 3}, 1), test::random_tensor({4}, 2),
                 {.stride = 2, .padding = {0, 1, 0, 1}, .bounds = nn::kRelu6Bounds});
  const Tensor stored = test::random_tensor({1, 3, 3, 4}, 3);
  Tensor filter = Tensor::zeros({4, 3, 3, 1});
  for (std::size_t i = 0; i < filter.size(); ++i) {
    filter.data()[i % 4 * 9 + i / 4] = stored.values()[i];
  }
  const Tensor filtered =
      nn::conv2d(first, filter, {}, {.padding = nn::Padding::symmetric(1), .groups = 4});
  const Tensor sum = nn::clamp(nn::add(first, nn::relu(filtered)), {-1.0f, 1.0f});
  const Tensor logits = nn::linear(nn::global_average_pool(sum), test::random_tensor({4, 4}, 4),
                                   test::random_tensor({4}, 5));
  const Tensor got = nn::compile(file.graph)(x);
  test::expect_near(got, test::doubles(nn::softmax(logits)), 1e-6);
  EXPECT_EQ(file.container, "TFLite (schema 3)");
  EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"description", "made by a test"},
                                                               {"input.tensor", "image"},
                                                               {"output.tensor", ""}}));
  EXPECT_TRUE(file.remarks.empty());
}

TEST(TfliteOperators, NodesHaveTheFirstNameOfTheirTensor) {
  const GraphFile file = parse(test::float_network());
  EXPECT_EQ(file.graph.nodes[1].name, "first");
  EXPECT_EQ(file.graph.nodes[7].name, "logits");
  EXPECT_EQ(file.graph.nodes[2].name, "tensor 6");
}

TEST(TfliteOperators, IntegersBecomeTheNumbersThatTheyStandFor) {
  const GraphFile file = parse(test::integer_network());
  const auto byte = [](std::size_t i) { return static_cast<std::uint8_t>(i * i * 7 + 3 * i + 11); };
  const nn::ConvolutionNode& first = convolution(file.graph, 1);
  const float scales[] = {0.01f, 0.02f, 0.03f, 0.04f};
  const float biases[] = {1.0f, -2.0f, 300.0f, 4.0f};
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_FLOAT_EQ(first.weight.values()[i],
                    static_cast<float>(static_cast<std::int8_t>(byte(i))) * scales[i / 3]);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_FLOAT_EQ(first.bias.values()[i], biases[i] / 127.5f * scales[i]);
  }
  const nn::ConvolutionNode& filter = convolution(file.graph, 2);
  EXPECT_EQ(filter.options.groups, 4u);
  EXPECT_EQ(filter.options.padding, (nn::Padding{0, 1, 0, 1}));
  for (std::size_t i = 0; i < 36; ++i) {
    EXPECT_FLOAT_EQ(filter.weight.values()[i % 4 * 9 + i / 4],
                    static_cast<float>(static_cast<std::int8_t>(byte(i)) - 1) * scales[i % 4]);
  }
  const auto& last = std::get<nn::LinearNode>(file.graph.nodes[4].operation);
  EXPECT_EQ(last.weight.shape(), (Shape{4, 4}));
  EXPECT_FLOAT_EQ(last.weight.values()[5], static_cast<float>(byte(5) - 128) * 0.02f);
  EXPECT_EQ(file.graph.nodes.size(), 5u);
}

TEST(TfliteOperators, BytesOfAnImageTellItsPreprocessing) {
  const GraphFile file = parse(test::integer_network());
  const auto preprocessing = data::read_preprocessing(file.metadata);
  ASSERT_TRUE(preprocessing);
  EXPECT_EQ(preprocessing->crop, 6u);
  EXPECT_EQ(preprocessing->resize, 7u);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_FLOAT_EQ(preprocessing->mean[c], 128.0f / 255.0f);
    EXPECT_FLOAT_EQ(preprocessing->std[c], 0.5f);
  }
  EXPECT_EQ(file.metadata.at("input.zero_point"), "128");
  EXPECT_EQ(file.remarks,
            std::vector<std::string>{
                "Mean and standard deviation are the input's scale and zero point; the file does "
                "not say how to resize: taken to be to 7, then a center crop of 6."});
}

// A network of one 1x1 convolution from 2 to 2 channels.
struct OneConvolution {
  explicit OneConvolution(const test::Quantized& result, ActivationCode activation) {
    const std::int32_t x = file.integer_tensor({1, 2, 2, 2}, Element::int8, {{0.5f}, {0}});
    const std::int32_t y = file.integer_tensor({1, 2, 2, 2}, Element::int8, result);
    const std::int32_t w = file.constant({2, 1, 1, 2}, Element::int8, {1, 2, 3, 4});
    file.quantize(w, {{0.25f}});
    ConvolutionOptionsT options = pointwise();
    options.activation = activation;
    file.add(OperatorKind::conv_2d, {x, w}, y, options);
    file.set_ends(x, y);
  }
  nn::Bounds bounds() const { return convolution(parse(file).graph, 1).options.bounds; }
  TfliteFile file;
};

TEST(TfliteOperators, AnIntegersRangeIsAnActivationWhereItBeginsAtZero) {
  const nn::Bounds none = nn::Bounds();
  const nn::Bounds wide = OneConvolution({{0.1f}, {3}}, ActivationCode::none).bounds();
  EXPECT_EQ(wide.lo, none.lo);
  EXPECT_EQ(wide.hi, none.hi);
  const nn::Bounds six = OneConvolution({{0.02353f}, {-128}}, ActivationCode::none).bounds();
  EXPECT_EQ(six.lo, 0.0f);
  EXPECT_EQ(six.hi, 6.0f);
  const nn::Bounds other = OneConvolution({{0.01f}, {-128}}, ActivationCode::none).bounds();
  EXPECT_EQ(other.lo, 0.0f);
  EXPECT_FLOAT_EQ(other.hi, 2.55f);
  const nn::Bounds named = OneConvolution({{0.01f}, {-128}}, ActivationCode::relu).bounds();
  EXPECT_EQ(named.lo, 0.0f);
  EXPECT_EQ(named.hi, none.hi);
}

TEST(TfliteOperators, Float16ComesByWayOfDequantize) {
  TfliteFile file;
  const std::int32_t x = file.tensor({1, 2, 2, 2});
  const std::int32_t y = file.tensor({1, 2, 2, 1});
  const std::int32_t half = file.constant({1, 1, 1, 2}, Element::float16, {0x00, 0x3c, 0x00, 0xc1});
  const std::int32_t weight = file.tensor({1, 1, 1, 2});
  file.add(OperatorKind::dequantize, {half}, weight);
  file.add(OperatorKind::conv_2d, {x, weight}, y, pointwise());
  file.set_ends(x, y);
  const GraphFile network = parse(file);
  const Tensor& got = convolution(network.graph, 1).weight;
  EXPECT_EQ(got.shape(), (Shape{1, 1, 1, 2}));
  EXPECT_EQ(got.values()[0], 1.0f);
  EXPECT_EQ(got.values()[1], -2.5f);
}

TEST(TfliteOperators, AMultiplierMakesSeveralChannelsOfOne) {
  TfliteFile file;
  const std::int32_t x = file.tensor({1, 3, 3, 2});
  const std::int32_t y = file.tensor({1, 1, 1, 6});
  const Tensor weight = test::random_tensor({1, 3, 3, 6}, 1);
  DepthwiseOptionsT options;
  options.stride_h = options.stride_w = 1;
  options.padding = PaddingCode::valid;
  file.add(OperatorKind::depthwise_conv_2d, {x, file.constant(weight)}, y, options);
  file.set_ends(x, y);
  const Tensor image = test::random_tensor({1, 3, 3, 2}, 2);
  std::vector<double> want(6, 0.0);
  for (std::size_t i = 0; i < 54; ++i) {
    want[i % 6] += double{weight.values()[i]} * image.values()[i / 6 * 2 + i % 6 / 3];
  }
  test::expect_near(nn::compile(parse(file).graph)(image), want, 1e-6);
}

TEST(TfliteOperators, FewerWeightsThanChannelsAreGroups) {
  TfliteFile file;
  const std::int32_t x = file.tensor({1, 2, 2, 4});
  const std::int32_t y = file.tensor({1, 2, 2, 6});
  file.add(OperatorKind::conv_2d, {x, file.constant(test::random_tensor({6, 1, 1, 2}, 1))}, y,
           pointwise());
  file.set_ends(x, y);
  EXPECT_EQ(convolution(parse(file).graph, 1).options.groups, 2u);
}

TEST(TfliteOperators, PadAndSameAddUp) {
  TfliteFile file;
  const std::int32_t x = file.tensor({1, 4, 4, 1});
  const std::int32_t padded = file.tensor({1, 6, 7, 1});
  const std::int32_t y = file.tensor({1, 3, 4, 1});
  file.add(OperatorKind::pad, {x, file.ints({0, 0, 2, 0, 1, 2, 0, 0})}, padded);
  ConvolutionOptionsT options = pointwise();
  options.padding = PaddingCode::same;
  options.stride_h = options.stride_w = 2;
  file.add(OperatorKind::conv_2d, {padded, file.constant(test::random_tensor({1, 3, 3, 1}, 1))}, y,
           options);
  file.set_ends(x, y);
  EXPECT_EQ(convolution(parse(file).graph, 1).options.padding, (nn::Padding{2, 1, 2, 3}));
}

TEST(TfliteOperators, WhatIsNotAskedForIsLeftOut) {
  TfliteFile file = test::float_network();
  const std::int32_t extra = file.tensor({1, 4});
  file.add(OperatorKind::relu6, {file.graph().outputs[0]}, extra);
  file.graph().outputs.push_back(extra);
  file.model.subgraphs.push_back(std::make_unique<models::tflite::SubgraphTableT>());
  const GraphFile network = parse(file);
  EXPECT_EQ(network.graph.nodes.size(), parse(test::float_network()).graph.nodes.size());
  EXPECT_EQ(network.remarks, (std::vector<std::string>{"Only the first of 2 outputs is computed.",
                                                       "Only the first of 2 subgraphs is read."}));
}

TEST(TfliteOperators, TextIsPrintable) {
  TfliteFile file = test::float_network();
  file.model.description = "\x1b[31mred" + std::string(2000, 'x');
  file.table(0).name = "image\n";
  const GraphFile network = parse(file);
  EXPECT_EQ(network.metadata.at("description"), "?[31mred" + std::string(992, 'x'));
  EXPECT_EQ(network.metadata.at("input.tensor"), "image?");
}

TEST(TfliteOperators, NewerFilesHaveTheOperatorInASecondField) {
  TfliteFile file = test::float_network();
  for (const auto& code : file.model.operator_codes) {
    code->kind = 0;
  }
  EXPECT_NO_THROW(parse(file));  // in the first one only
  file = test::float_network();
  for (const auto& code : file.model.operator_codes) {
    code->short_kind = 0;
  }
  EXPECT_NO_THROW(parse(file));
}

TEST(TfliteOperators, BuffersMayLieBehindTheTables) {
  TfliteFile file = test::float_network();
  const Tensor weight = test::random_tensor({4, 4}, 4);
  const std::int32_t stored = file.operators()[7]->inputs[1];
  models::tflite::BufferTableT& buffer = file.buffer_of(stored);
  buffer.data.clear();
  buffer.size = weight.size() * sizeof(float);
  buffer.offset = 2;  // a number that is not left out
  buffer.offset = file.bytes().size();
  std::vector<std::uint8_t> bytes = file.bytes();
  const std::vector<std::uint8_t> behind = test::as_bytes(weight.values());
  bytes.insert(bytes.end(), behind.begin(), behind.end());
  const GraphFile network = models::parse_tflite(bytes, "test");
  EXPECT_TRUE(
      test::same_bits(std::get<nn::LinearNode>(network.graph.nodes[7].operation).weight, weight));
}

TEST(TfliteOperators, BytesMayLieAnywhere) {
  const std::vector<std::uint8_t> bytes = test::integer_network().bytes();
  EXPECT_TRUE(models::begins_as_tflite(bytes));
  EXPECT_FALSE(models::begins_as_tflite(std::span(bytes).first(7)));
  std::vector<std::uint8_t> shifted(bytes.size() + 1);
  std::ranges::copy(bytes, shifted.begin() + 1);
  EXPECT_FALSE(models::begins_as_tflite(shifted));
  EXPECT_EQ(models::parse_tflite(std::span(shifted).subspan(1), "test").graph.nodes.size(), 5u);
  const test::Folder folder;
  test::write_file(folder / "net.bin", std::string(bytes.begin(), bytes.end()));
  EXPECT_EQ(models::read_tflite(folder / "net.bin").graph.nodes.size(), 5u);
}

}  // namespace
}  // namespace lamina
