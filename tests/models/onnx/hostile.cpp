#include <gtest/gtest.h>

#include "core/error.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/onnx.h"
#include "nn/graph.h"
#include "tests/fuzz/heap.h"
#include "tests/models/onnx/model.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

// What is refused, and in which words.
namespace lamina {
namespace {

using test::Integers;
using test::OnnxModel;
using Bytes = std::vector<std::uint8_t>;

void expect_refusal(const Bytes& bytes, const std::string& message,
                    const models::OnnxOptions& options = {}) {
  test::expect_error([&] { models::parse_onnx(bytes, "f", options); }, "onnx: f: " + message);
}

void expect_refusal(const OnnxModel& model, const std::string& message,
                    const models::OnnxOptions& options = {}) {
  expect_refusal(model.bytes(), message, options);
}

// A model of one node that takes x and c, floats of that shape.
OnnxModel with_constant(const char* op_type, const Integers& dims, std::size_t count) {
  OnnxModel model;
  model.floats("c", dims, Tensor::full({count}, 1.0f));
  model.node(op_type, {"x", "c"});
  return model;
}

TEST(OnnxHostile, BytesThatAreNoMessages) {
  expect_refusal(Bytes{}, "must be an ONNX model: there is no graph in it");
  expect_refusal(Bytes{0x00, 0x01}, "must be protobuf messages: field 0 stands");
}

TEST(OnnxHostile, NestedGroupsAndCutFields) {
  expect_refusal(Bytes{0x3b}, "must be protobuf messages: wire type 3 stands");
  expect_refusal(Bytes{0x3a, 0x05, 0x0a},
                 "must be protobuf messages: a field of 5 bytes must fit in the 1 that are left");
  expect_refusal(Bytes{0x3a, 0x80}, "must be protobuf messages: a number is cut off");
  expect_refusal(Bytes(12, 0x80), "must be protobuf messages: a number has more than ten bytes");
  expect_refusal(Bytes{0x02}, "must be protobuf messages: field 0 stands");
}

TEST(OnnxHostile, EmptyMessagesThatTakeMoreThanTheirBytes) {
  Bytes bytes = {0x3a, 0x80, 0x80, 0x40};  // the graph, of 2^20 bytes
  for (int i = 0; i < 1 << 19; ++i) {
    bytes.insert(bytes.end(), {0x0a, 0x00});  // an empty node
  }
  const fuzz::HeapMeter meter;
  expect_refusal(
      bytes,
      "parsed form must take at most 32 times the file's 1048580 bytes: it would take 134218240");
  EXPECT_LT(meter.peak(), 10000u);
}

TEST(OnnxHostile, Versions) {
  expect_refusal(OnnxModel(6), "must be of opset 7 to 20: it is of 6");
  expect_refusal(OnnxModel(21), "must be of opset 7 to 20: it is of 21");
  OnnxModel model;
  model.message().set_ir_version(2);
  expect_refusal(model, "must be of IR version 3 or later: it is of 2");
}

TEST(OnnxHostile, Inputs) {
  expect_refusal(OnnxModel(13, {1, 3, 5}),
                 "input must be images, one or any number of them: it is [1, 3, 5]");
  expect_refusal(OnnxModel(13, {2, 3, 5, 5}),
                 "input must be images, one or any number of them: it is [2, 3, 5, 5]");
  expect_refusal(OnnxModel(13, {1, 3, 0, 5}),
                 "input's height is left open: OnnxOptions must say it");
  expect_refusal(OnnxModel(13, {1, 3, 6, 5}),
                 "input's width must be what is asked for: it is 5 in the file, asked for is 7",
                 {.width = 7});
  expect_refusal(OnnxModel(13, {1, 3, 1 << 20, 1 << 20}),
                 "input must have at most 67108864 values: it is [1, 3, 1048576, 1048576]");
  OnnxModel two;
  two.message().mutable_graph()->add_input()->set_name("z");
  expect_refusal(two, "must have one input: it has \"x\" and \"z\"");
}

TEST(OnnxHostile, Names) {
  OnnxModel missing;
  missing.node("Add", {"x", "later"});
  missing.node("Relu", {"x"}, "later");
  expect_refusal(
      missing, "node \"make_y\" (\"Add\"): inputs must be made by a node before: \"later\" is not");
  OnnxModel twice;
  twice.node("Relu", {"x"}, "y");
  twice.node("Relu", {"x"}, "y");
  expect_refusal(
      twice,
      "node \"make_y\" (\"Relu\"): values must have names of their own: there are two of \"y\"");
  OnnxModel cycle;
  cycle.node("Relu", {"y"}, "y");
  expect_refusal(cycle,
                 "node \"make_y\" (\"Relu\"): inputs must be made by a node before: \"y\" is not");
  OnnxModel reused;
  reused.node("Relu", {"x"}, "a");
  reused.node("Relu", {"a"}, "b");
  reused.node("Relu", {"b"}, "a");
  reused.node("Relu", {"a"}, "y");
  expect_refusal(
      reused,
      "node \"make_a\" (\"Relu\"): values must have names of their own: there are two of \"a\"");
  OnnxModel none;
  none.node("Relu", {"x"}, "z");
  expect_refusal(none, "output \"y\": inputs must be made by a node before: \"y\" is not");
  OnnxModel outputs;
  outputs.node("Relu", {"x"}, "y");
  outputs.message().mutable_graph()->add_output()->set_name("z");
  expect_refusal(outputs,
                 "must have one output, or OnnxOptions::output name one: it has 2, among them "
                 "\"y\" and \"z\"");
}

TEST(OnnxHostile, Operations) {
  OnnxModel unknown;
  unknown.node("Resize\x1b[31m", {"x"});
  expect_refusal(unknown,
                 "node \"make_y\" (\"Resize\\u001b[31m\"): is not supported; these are: Add, "
                 "AveragePool, BatchNormalization, Cast, Clip, Concat, Constant, ConstantOfShape, "
                 "Conv, DequantizeLinear, Div, Dropout, Flatten, Gather, Gemm, GlobalAveragePool, "
                 "Identity, MatMul, Max, Min, Mul, Pad, QuantizeLinear, ReduceMean, Relu, Reshape, "
                 "Shape, Slice, Softmax, Squeeze, Sub, Transpose, Unsqueeze");
  OnnxModel domain;
  domain.node("Conv", {"x"});
  domain.message().mutable_graph()->mutable_node(0)->set_domain("com.acme");
  expect_refusal(
      domain,
      "node \"make_y\" (\"Conv\"): must be an operation of ONNX itself: it is of \"com.acme\"");
  OnnxModel attribute;
  attribute.node("Softmax", {"x"}).with("axis", 1.0f);
  expect_refusal(
      attribute,
      "node \"make_y\" (\"Softmax\"): attribute axis must be of type 2: it is of type 1");
  OnnxModel nothing;
  nothing.node("Conv", {"x"});
  expect_refusal(nothing, "node \"make_y\" (\"Conv\"): there must be an input 1: there are 1");
  OnnxModel computed;
  computed.node("Conv", {"x", "x"});
  expect_refusal(computed,
                 "node \"make_y\" (\"Conv\"): weight must be known before the network runs: \"x\" "
                 "is computed by it");
}

TEST(OnnxHostile, Weights) {
  expect_refusal(with_constant("Conv", {2, 3, 1, 1}, 5),
                 "node \"make_y\" (\"Conv\"): tensor \"c\": must have as many values as its shape: "
                 "[2, 3, 1, 1] has 6, the data 5");
  expect_refusal(
      with_constant("Conv", {2, 4, 1, 1}, 8),
      "node \"make_y\" (\"Conv\"): conv2d: input channels must equal weight channels x groups: "
      "input [1, 6, 5, 3] (NHWC) has 3, weight [2, 1, 1, 4] (OHWI) x 1 group needs 4");
  expect_refusal(
      with_constant("Conv", {2, 3, 7, 1}, 42),
      "node \"make_y\" (\"Conv\"): conv2d: window must fit in the padded image: weight [2, 7, 1, "
      "3] (OHWI) with dilation covers 7 x 1, input [1, 6, 5, 3] (NHWC) with padding is 6 x 5");
  expect_refusal(
      with_constant("Conv", {6}, 6),
      "node \"make_y\" (\"Conv\"): weight must be [O, I / groups, KH, KW], of images: it is [6]");
  expect_refusal(with_constant("Conv", {0, 3, 1, 1}, 0),
                 "node \"make_y\" (\"Conv\"): weight must be [O, I / groups, KH, KW], of images: "
                 "it is [0, 3, 1, 1]");
  expect_refusal(
      with_constant("Conv", {-1, 3, 1, 1}, 3),
      "node \"make_y\" (\"Conv\"): tensor \"c\": extents must not be negative: got [-1, 3, 1, 1]");
  expect_refusal(with_constant("Conv", {1 << 20, 1 << 20, 1 << 20, 1}, 3),
                 "node \"make_y\" (\"Conv\"): tensor \"c\": tensors must have at most 2^40 values: "
                 "got [1048576, 1048576, 1048576, 1]");
  expect_refusal(
      with_constant("Conv", Integers(9, 1), 1),
      "node \"make_y\" (\"Conv\"): tensor \"c\": tensors must have at most 8 axes: got 9");
  expect_refusal(with_constant("MatMul", {4, 2}, 8),
                 "node \"make_y\" (\"MatMul\"): weight must take the channels, and they be the "
                 "input's last axis: it takes 4, the input is [1, 3, 6, 5]");
  expect_refusal(with_constant("Add", {3, 6, 5}, 90),
                 "node \"make_y\" (\"Add\"): a constant must be one number or one for each "
                 "channel: it is [3, 6, 5], the input [1, 3, 6, 5]");
}

TEST(OnnxHostile, Windows) {
  const auto expect = [](const char* name, const Integers& values, const std::string& message) {
    OnnxModel model;
    model.floats("w", {2, 3, 1, 1}, Tensor::full({6}, 1.0f));
    model.node("Conv", {"x", "w"}).with(name, values);
    expect_refusal(model, message);
  };
  expect("strides", {0, 1}, "node \"make_y\" (\"Conv\"): strides must be from 1 to 1048576: got 0");
  expect("strides", {1},
         "node \"make_y\" (\"Conv\"): strides must be two numbers, for images: got [1]");
  expect("pads", {0, -1, 0, 0},
         "node \"make_y\" (\"Conv\"): pads must be from 0 to 1048576: got -1");
  expect("pads", {0, 1 << 21, 0, 0},
         "node \"make_y\" (\"Conv\"): pads must be from 0 to 1048576: got 2097152");
  expect("dilations", {1, -1},
         "node \"make_y\" (\"Conv\"): dilations must be from 1 to 1048576: got -1");
  expect("kernel_shape", {3, 3},
         "node \"make_y\" (\"Conv\"): kernel_shape must be the weight's: it is 3 x 3, the weight's "
         "1 x 1");
  OnnxModel large;
  large.floats("w", {2, 3, 1, 1}, Tensor::full({6}, 1.0f));
  large.node("Conv", {"x", "w"}).with("pads", Integers{100000, 100000, 100000, 100000});
  expect_refusal(large,
                 "node \"make_y\" (\"Conv\"): tensors of one image must have from 1 to 67108864 "
                 "values: got [1, 200006, 200005, 2]");
}

TEST(OnnxHostile, Layouts) {
  OnnxModel batch;
  batch.node("Transpose", {"x"}).with("perm", Integers{1, 0, 2, 3});
  expect_refusal(
      batch,
      "node \"make_y\" (\"Transpose\"): the batch must stay the first axis: perm is [1, 0, 2, 3]");
  OnnxModel pieces;
  pieces.integers("shape", {1, 3, 2, 15}).node("Reshape", {"x", "shape"});
  expect_refusal(pieces,
                 "node \"make_y\" (\"Reshape\"): an axis must not be cut into parts: the input is "
                 "[1, 3, 6, 5], the shape [1, 3, 2, 15]");
  OnnxModel flat;
  flat.node("Flatten", {"x"});
  expect_refusal(flat, "output \"y\": it is an image of [1, 6, 5, 3] (NHWC) made into [1, 90]");
  OnnxModel turned;
  turned.floats("w", {2, 5, 1, 1}, Tensor::full({10}, 1.0f));
  turned.node("Transpose", {"x"}, "t").with("perm", Integers{0, 3, 1, 2});
  turned.node("Conv", {"t", "w"});
  expect_refusal(turned,
                 "node \"make_y\" (\"Conv\"): input must be an image [N, C, H, W]: it is [1, 5, 3, "
                 "6] with its axes in another order");
}

// 2^38 values asked for by 100 bytes.
TEST(OnnxHostile, ConstantsLargerThanTheFileJustifies) {
  OnnxModel model;
  model.integers("shape", {1 << 19, 1 << 19});
  model.node("ConstantOfShape", {"shape"}, "c");
  model.node("Add", {"x", "c"});
  const fuzz::HeapMeter meter;
  expect_refusal(
      model,
      "node \"make_c\" (\"ConstantOfShape\"): constants and weights must take at most 8 times the "
      "file's bytes and 16777216: 16 bytes of 16778328 are taken, 274877906944 values come on top");
  EXPECT_LT(meter.peak(), 100000u);
}

}  // namespace
}  // namespace lamina
