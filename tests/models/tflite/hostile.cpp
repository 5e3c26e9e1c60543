#include <cstring>
#include <gtest/gtest.h>

#include "models/checkpoint/tflite.h"
#include "tests/models/tflite/tflite_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using namespace models::tflite;
using test::TfliteFile;
using Element = TfliteFile::Element;

void expect_refused(const std::vector<std::uint8_t>& bytes, const std::string& message) {
  test::expect_error([&] { models::parse_tflite(bytes, "bad"); }, "tflite: bad: " + message);
}
void expect_refused(const TfliteFile& file, const std::string& message) {
  expect_refused(file.bytes(), message);
}

// The network with one thing changed.
template <class Change>
void expect_refused_with(const Change& change, const std::string& message) {
  TfliteFile file = test::float_network();
  change(file);
  expect_refused(file, message);
}

// Operator 0 of float_network(): a convolution.
ConvolutionOptionsT& stem(TfliteFile& file) {
  return *file.operators()[0]->options.AsConvolutionOptions();
}
std::int32_t weight(TfliteFile& file, std::size_t op) { return file.operators()[op]->inputs[1]; }

TEST(HostileTflite, NotTheFormat) {
  const auto refusal = [](std::size_t bytes) {
    return text("file must be a flatbuffer of the format TFL3, its tables inside of its ", bytes,
                " bytes and at most 100000: it is not, or was cut short or altered");
  };
  expect_refused(std::vector<std::uint8_t>{}, refusal(0));
  expect_refused(std::vector<std::uint8_t>(100), refusal(100));
  std::vector<std::uint8_t> bytes = test::float_network().bytes();
  bytes[4] = 'X';
  expect_refused(bytes, refusal(bytes.size()));
}

TEST(HostileTflite, EveryTruncationIsRefused) {
  for (const TfliteFile& file : {test::float_network(), test::integer_network()}) {
    const std::vector<std::uint8_t> bytes = file.bytes();
    EXPECT_NO_THROW(models::parse_tflite(bytes, "good"));
    for (std::size_t size = 0; size < bytes.size() - 8; ++size) {
      const std::vector<std::uint8_t> cut(bytes.begin(),
                                          bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_THROW(models::parse_tflite(cut, "bad"), Error) << size;
    }
  }
}

// Each word is an offset, a count, an index or a number: none may crash, whatever it says.
TEST(HostileTflite, EveryWordMayLie) {
  constexpr std::uint32_t kLies[] = {0,          1,          4,          0x7f,      0xff,
                                     0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
  for (const TfliteFile& file : {test::float_network(), test::integer_network()}) {
    const std::vector<std::uint8_t> bytes = file.bytes();
    std::size_t refused = 0;
    for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
      for (const std::uint32_t lie : kLies) {
        std::vector<std::uint8_t> altered = bytes;
        std::memcpy(altered.data() + at, &lie, sizeof lie);
        try {
          models::parse_tflite(altered, "bad");
        } catch (const Error& error) {
          EXPECT_TRUE(std::string_view(error.what()).starts_with("tflite: bad: ")) << error.what();
          ++refused;
        }
      }
    }
    EXPECT_GT(refused, bytes.size() / 4);
  }
}

TEST(HostileTflite, TheModel) {
  expect_refused_with([](TfliteFile& file) { file.model.version = 2; },
                      "schema must have version 3: it has 2");
  expect_refused_with([](TfliteFile& file) { file.model.subgraphs.clear(); },
                      "file must have a subgraph: it has none");
  expect_refused_with(
      [](TfliteFile& file) {
        file.graph().inputs = {0, 0};
      },
      "network must have one input: it has 2");
  expect_refused_with([](TfliteFile& file) { file.graph().inputs = {2}; },
                      "input must be given from outside: it is a constant");
  expect_refused_with([](TfliteFile& file) { file.graph().inputs = {99}; },
                      "tensor must be one of the file's: it has 17, the index is 99");
  expect_refused_with([](TfliteFile& file) { file.graph().outputs.clear(); },
                      "network must have an output: it has none");
  expect_refused_with([](TfliteFile& file) { file.graph().outputs = {0}; },
                      "output must be made by an operator other than PAD: tensor 0 is not");
  expect_refused_with([](TfliteFile& file) { file.table(0).shape = {6}; },
                      "tensor 0 must have 2 to 4 axes: its shape is [6]");
}

TEST(HostileTflite, Operators) {
  expect_refused_with([](TfliteFile& file) { file.model.operator_codes[0]->kind = 17; },
                      "operator 0 (number 17): is not supported: only ADD, AVERAGE_POOL_2D, "
                      "CONV_2D, DEPTHWISE_CONV_2D, DEQUANTIZE, FULLY_CONNECTED, MEAN, PAD, "
                      "QUANTIZE, RELU, RELU6, RELU_N1_TO_1, RESHAPE, SOFTMAX, SQUEEZE are");
  expect_refused_with(
      [](TfliteFile& file) {
        file.model.operator_codes[0]->kind = 32;
        file.model.operator_codes[0]->custom = "\x1b[31mConv\"2";
      },
      "operator 0 (CUSTOM \"?[31mConv\\\"2\"): is not supported: only ADD, AVERAGE_POOL_2D, "
      "CONV_2D, DEPTHWISE_CONV_2D, DEQUANTIZE, FULLY_CONNECTED, MEAN, PAD, QUANTIZE, RELU, RELU6, "
      "RELU_N1_TO_1, RESHAPE, SOFTMAX, SQUEEZE are");
  expect_refused_with([](TfliteFile& file) { file.operators()[3]->code = 9; },
                      "operator 3: code must be one of the file's: it has 9, the index is 9");
  expect_refused_with([](TfliteFile& file) { file.operators()[3]->inputs.clear(); },
                      "operator 3 (RELU): input 0 must be given: it is not");
  expect_refused_with(
      [](TfliteFile& file) { file.operators()[3]->inputs = {16}; },
      "operator 3 (RELU): input 0 must be made by an earlier operator: tensor 16 is not");
  expect_refused_with(
      [](TfliteFile& file) { file.operators()[3]->inputs = {2}; },
      "operator 3 (RELU): input 0 must be made by an earlier operator: tensor 2 is a constant");
  expect_refused_with([](TfliteFile& file) { file.operators()[3]->outputs.push_back(3); },
                      "operator 3 (RELU): must have one output: it has 2");
  expect_refused_with([](TfliteFile& file) { file.operators()[3]->outputs = {1}; },
                      "operator 3 (RELU): output must be made once: tensor 1 exists");
  expect_refused_with(
      [](TfliteFile& file) {
        file.table(file.operators()[3]->outputs[0]).shape = {1, 3, 4, 3};
      },
      "operator 3 (RELU): output must be [1, 3, 3, 4]: the file declares [1, 3, 4, 3]");
}

TEST(HostileTflite, Options) {
  expect_refused_with(
      [](TfliteFile& file) { file.operators()[0]->options.Set(DepthwiseOptionsT()); },
      "operator 0 (CONV_2D): must have its options: it has none, or another operator's");
  expect_refused_with([](TfliteFile& file) { stem(file).stride_w = 0; },
                      "operator 0 (CONV_2D): strides must be at least 1: it is 0");
  expect_refused_with([](TfliteFile& file) { stem(file).dilation_h = -1; },
                      "operator 0 (CONV_2D): dilations must be at least 1: it is -1");
  expect_refused_with([](TfliteFile& file) { stem(file).padding = PaddingCode{9}; },
                      "operator 0 (CONV_2D): padding must be SAME or VALID: it has number 9");
  expect_refused_with([](TfliteFile& file) { stem(file).activation = ActivationCode{4}; },
                      "operator 0 (CONV_2D): activation must be NONE, RELU, RELU6 or "
                      "RELU_N1_TO_1: it has number 4");
  expect_refused_with(
      [](TfliteFile& file) { file.operators()[8]->options.AsSoftmaxOptions()->beta = 2.0f; },
      "operator 8 (SOFTMAX): beta must be 1: it is 2");
  expect_refused_with(
      [](TfliteFile& file) {
        file.operators()[7]->options.AsFullyConnectedOptions()->weights_format = 1;
      },
      "operator 7 (FULLY_CONNECTED): weights must be stored in rows: their format has number 1");
  expect_refused_with(
      [](TfliteFile& file) {
        file.operators()[5]->inputs[1] = file.ints({1, 3});
      },
      "operator 5 (MEAN): must average height and width of [N, H, W, C]: it "
      "averages 2 axes, the input is [1, 3, 3, 4]");
  expect_refused_with(
      [](TfliteFile& file) {
        file.operators()[1]->inputs[1] = file.ints({0, 0, 1, -1, 1, 1, 0, 0});
      },
      "operator 1 (PAD): must add 0 to 2^20 pixels to height and width: the pads are from -1 to 1");
  expect_refused_with(
      [](TfliteFile& file) { file.operators()[3]->inputs = file.operators()[1]->outputs; },
      "operator 3 (RELU): input must not come from PAD: only convolutions can add its zeros");
}

TEST(HostileTflite, Tensors) {
  expect_refused_with(
      [](TfliteFile& file) {
        file.table(weight(file, 0)).shape = {4, 3, -3, 3};
      },
      "operator 0 (CONV_2D): tensor 2: shape must be of positive extents: one is -3");
  expect_refused_with(
      [](TfliteFile& file) {
        file.table(weight(file, 0)).shape = {65536, 65536, 2};
      },
      "operator 0 (CONV_2D): tensor 2: tensor must have at most 268435456 values: its shape is "
      "[65536, 65536] and on");
  expect_refused_with([](TfliteFile& file) { file.table(weight(file, 0)).shape.assign(9, 1); },
                      "operator 0 (CONV_2D): tensor 2: rank must be at most 8: it has 9");
  expect_refused_with(
      [](TfliteFile& file) { file.table(weight(file, 0)).type = Element{5}; },
      "operator 0 (CONV_2D): tensor 2: type must be a float or an integer of 8 to 64 bits: it has "
      "number 5");
  expect_refused_with([](TfliteFile& file) { file.table(weight(file, 0)).buffer = 77; },
                      "operator 0 (CONV_2D): tensor 2: buffer must be one of the file's: it has 8, "
                      "the index is 77");
  expect_refused_with([](TfliteFile& file) { file.buffer_of(weight(file, 0)).data.pop_back(); },
                      "operator 0 (CONV_2D): tensor 2: buffer must have the bytes of F32 x [4, 3, "
                      "3, 3], 432: it has 431");
  expect_refused_with([](TfliteFile& file) { file.buffer_of(weight(file, 0)).data.clear(); },
                      "operator 0 (CONV_2D): tensor 2 must be a constant: it has no data");
  expect_refused_with(
      [](TfliteFile& file) {
        file.buffer_of(weight(file, 0)).offset = 1'000'000;
        file.buffer_of(weight(file, 0)).size = ~std::uint64_t{0};
      },
      text(
          "operator 0 (CONV_2D): tensor 2: buffer must lie inside of the file: its offset is "
          "1000000, its size 18446744073709551615, the file has ",
          [] {
            TfliteFile file = test::float_network();
            file.buffer_of(weight(file, 0)).offset = 1'000'000;
            file.buffer_of(weight(file, 0)).size = ~std::uint64_t{0};
            return file.bytes().size();
          }(),
          " bytes"));
  expect_refused_with(
      [](TfliteFile& file) {
        file.table(weight(file, 0)).sparsity = std::make_unique<SparsityTableT>();
      },
      "operator 0 (CONV_2D): tensor 2: must be dense: it is stored sparsely");
  expect_refused_with(
      [](TfliteFile& file) {
        file.operators()[0]->inputs[2] = file.constant(test::random_tensor({5}, 1));
      },
      "operator 0 (CONV_2D): bias must have a value for each output channel: tensor 17 is [5], the "
      "channels are 4");
  expect_refused_with(
      [](TfliteFile& file) {
        file.operators()[0]->inputs[1] = file.constant(test::random_tensor({4, 3, 3, 2}, 1));
      },
      "operator 0 (CONV_2D): input channels must be a multiple of the weights': the input is [1, "
      "6, 6, 3], tensor 17 is [4, 3, 3, 2] (OHWI)");
  expect_refused_with(
      [](TfliteFile& file) {
        file.operators()[0]->inputs[1] = file.constant(test::random_tensor({4, 9, 9, 3}, 1));
        stem(file).padding = PaddingCode::valid;
      },
      "operator 0 (CONV_2D): conv2d: window must fit in the padded image: weight [4, 9, 9, 3] "
      "(OHWI) with dilation covers 9 x 9, input [1, 6, 6, 3] (NHWC) with padding is 6 x 6");
}

TEST(HostileTflite, Quantization) {
  const auto with = [](const auto& change, const std::string& message) {
    TfliteFile file = test::integer_network();
    change(file);
    expect_refused(file, message);
  };
  const std::string conv = "operator 1 (CONV_2D): ";
  with([](TfliteFile& file) { file.table(weight(file, 1)).quantization.reset(); },
       conv + "tensor 3: integers must have a scale: it has none");
  with([](TfliteFile& file) { file.table(weight(file, 1)).quantization->scale.pop_back(); },
       conv +
           "tensor 3: scales must be one, or one for each index along the quantized axis: there "
           "are 3, the shape is [4, 1, 1, 3], the axis 0");
  with([](TfliteFile& file) { file.table(weight(file, 1)).quantization->quantized_dimension = -1; },
       conv +
           "tensor 3: scales must be one, or one for each index along the quantized axis: there "
           "are 4, the shape is [4, 1, 1, 3], the axis -1");
  with([](TfliteFile& file) { file.table(weight(file, 1)).quantization->zero_point.pop_back(); },
       conv +
           "tensor 3: zero points must be one, or as many as the scales: there are 3, the "
           "scales are 4");
  with([](TfliteFile& file) { file.table(weight(file, 1)).quantization->scale[1] = -1.0f; },
       conv + "tensor 3: scales must be above 0 and finite: one is -1");
  with([](TfliteFile& file) { file.table(weight(file, 1)).quantization->details_type = 1; },
       conv + "tensor 3: quantization must be by scale and zero point: it has details of type 1");
  with([](TfliteFile& file) { file.table(2).quantization->scale.push_back(1.0f); },
       conv + "tensor 2 must have one scale and one zero point: it has 2 and 1");
  with(
      [](TfliteFile& file) {
        file.quantize(file.operators()[1]->inputs[2], {{1.0f, 1.0f, 1.0f, 1.0f}});
      },
      conv +
          "bias must have the scale of the input times that of the weights: it has 1, they have "
          "7.84314e-05");
  with([](TfliteFile& file) { file.table(1).quantization.reset(); },
       conv + "integers as bias must have input and weights of integers: they have not");
}

// A few bytes that many tensors share would become as many floats.
TEST(HostileTflite, SharedBuffers) {
  TfliteFile file;
  constexpr std::int32_t kSide = 64;
  std::int32_t x = file.tensor({1, 1, 1, kSide});
  const std::int32_t image = x;
  const std::int32_t first =
      file.constant({kSide, 1, 1, kSide}, Element::int8, std::vector<std::uint8_t>(kSide * kSide));
  file.quantize(first, {{1.0f}});
  ConvolutionOptionsT options;
  options.stride_h = options.stride_w = 1;
  for (int i = 0; i < 10; ++i) {
    const std::int32_t y = file.tensor({1, 1, 1, kSide});
    file.add(OperatorKind::conv_2d, {x, first}, y, options);
    x = y;
  }
  file.set_ends(image, x);
  expect_refused(
      file,
      "operator 6 (CONV_2D): constants must not need over 8 times the file's bytes: with "
      "tensor 1 [64, 1, 1, 64] they do");
}

}  // namespace
}  // namespace lamina
