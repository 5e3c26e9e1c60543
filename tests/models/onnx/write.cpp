#include <gtest/gtest.h>

#include "models/checkpoint/onnx.h"
#include "models/load.h"
#include "nn/plan.h"
#include "tests/models/onnx/model.h"
#include "tests/models/support.h"
#include "tests/nn/every_operation.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

// Our graphs as ONNX files; tests/models/onnx/runtime_test.py runs them in ONNX Runtime.
namespace lamina {
namespace {

nn::Graph small_network() {
  models::MobileNetV2 net({.classes = 10, .width = 0.35f, .padding = nn::PaddingMode::same});
  test::randomize(net, 3);
  return nn::trace(net, {1, 64, 64, 3});
}

class OnnxOpset : public testing::TestWithParam<int> {};

TEST_P(OnnxOpset, RoundTripHasTheSameBits) {
  const nn::Graph graph = small_network();
  const test::Folder folder;
  const std::map<std::string, std::string> metadata = {{"labels", "cat\ndog"}, {"resize", "72"}};
  models::write_onnx(folder / "net.onnx", graph, {.opset = GetParam(), .metadata = metadata});
  const models::GraphFile file = models::read_onnx(folder / "net.onnx");
  EXPECT_EQ(file.container, "ONNX (opset " + std::to_string(GetParam()) + ")");
  EXPECT_EQ(file.metadata, metadata);
  EXPECT_TRUE(file.remarks.empty());
  const Tensor x = test::random_tensor({3, 64, 64, 3}, 1);
  EXPECT_TRUE(test::same_bits(nn::compile(file.graph)(x), nn::compile(graph)(x)));
}

TEST_P(OnnxOpset, RoundTripOfEveryOperation) {
  test::EveryOperation net(nn::PaddingMode::same);
  test::randomize(net);
  const nn::Graph graph = nn::trace(net, {1, 9, 8, 3});
  const test::Folder folder;
  models::write_onnx(folder / "net.onnx", graph, {.opset = GetParam(), .output = "y"});
  const nn::Graph read = models::read_onnx(folder / "net.onnx", {.output = "y"}).graph;
  const Tensor x = test::random_tensor({2, 9, 8, 3}, 1);
  EXPECT_TRUE(test::same_bits(nn::compile(read)(x), nn::compile(graph)(x)));
}

INSTANTIATE_TEST_SUITE_P(Opsets, OnnxOpset, testing::Values(13, 17),
                         [](const auto& one) { return std::to_string(one.param); });

std::vector<std::string> initializer_names(const test::proto::Model& model) {
  std::vector<std::string> names;
  for (const auto& tensor : model.graph().initializer()) {
    names.push_back(tensor.name());
  }
  return names;
}

std::vector<std::string> operations(const test::proto::Model& model) {
  std::vector<std::string> types;
  for (const auto& node : model.graph().node()) {
    types.push_back(node.op_type());
  }
  return types;
}

std::vector<std::string> names_of_convolutions(const test::proto::Model& model) {
  std::vector<std::string> names;
  for (const auto& node : model.graph().node()) {
    if (node.op_type() == "Conv") {
      names.push_back(node.name());
    }
  }
  return names;
}

TEST(OnnxWriter, NamesAndOrdersAsPyTorchsExporter) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto classifier = models::read_classifier(
      test::shared_data() / "training/mnv2_035_perturbed_state_f32.safetensors");
  const test::Folder folder;
  models::write_onnx(folder / "net.onnx", nn::trace(*classifier.net, {1, 64, 64, 3}),
                     {.opset = 13});
  test::proto::Model ours;
  ASSERT_TRUE(ours.ParseFromString(test::read_file(folder / "net.onnx")));
  test::proto::Model theirs;
  ASSERT_TRUE(theirs.ParseFromString(
      test::read_file(test::shared_data() / "checkpoints/mnv2_035_perturbed_bnkept.onnx")));
  EXPECT_EQ(initializer_names(ours), initializer_names(theirs));
  EXPECT_EQ(operations(ours), operations(theirs));
  EXPECT_EQ(names_of_convolutions(ours), names_of_convolutions(theirs));
  EXPECT_EQ(ours.ir_version(), theirs.ir_version());
  EXPECT_EQ(ours.graph().input(0).SerializeAsString(), theirs.graph().input(0).SerializeAsString());
  EXPECT_EQ(ours.graph().output(0).SerializeAsString(),
            theirs.graph().output(0).SerializeAsString());
}

TEST(OnnxWriter, RefusesWhatItCannotWrite) {
  const nn::Graph graph = small_network();
  const test::Folder folder;
  const auto path = folder / "net.onnx";
  test::expect_error([&] { models::write_onnx(path, graph, {.opset = 12}); },
                     "onnx: opset must be 13 or 17: got 12");
  test::expect_error([&] { models::write_onnx(path, graph, {.input = "a", .output = "a"}); },
                     "onnx: input and output must have names of their own: they are \"a\" and "
                     "\"a\"");
  test::expect_error([&] { models::write_onnx(path, {}); },
                     "onnx: the graph must have an output: it has 0 nodes");
  nn::Sequential small;
  small.emplace<nn::Linear>(2, 3);
  test::expect_error(
      [&] {
        models::write_onnx(path, nn::trace(small, {1, 2}));
      },
      "onnx: the input must be [N, H, W, C]: got [1, 2]");
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace lamina
