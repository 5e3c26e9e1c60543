// What inspect says of files: whole outputs of small ones, whole messages of bad ones.
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "models/checkpoint/safetensors.h"
#include "models/load.h"
#include "tests/apps/program.h"
#include "tests/apps/small_network.h"
#include "tests/support/folder.h"
#include "tests/support/shared_data.h"

namespace lamina::test {
namespace {

class Inspect : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_ / name; }

  std::string file(const std::string& name, const std::string& bytes) const {
    write_file(path(name), bytes);
    return path(name);
  }

  static Result inspect(const std::vector<std::string>& arguments) {
    return run({.arguments = arguments, .program = LAMINA_INSPECT});
  }

  static nlohmann::json inspect_json(const std::string& file) {
    const Result result = inspect({"--json", file});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }

  static void expect_failure(const std::vector<std::string>& arguments, int exit_code,
                             const std::string& message) {
    const Result result = inspect(arguments);
    EXPECT_EQ(result.exit_code, exit_code);
    EXPECT_EQ(result.err, "inspect: " + message + "\n");
    EXPECT_EQ(result.out, "");
  }

  const Folder folder_;
};

TEST_F(Inspect, DescribesAMobileNetV2) {
  write_small_network(path("small.safetensors"));
  const std::size_t bytes = std::filesystem::file_size(path("small.safetensors"));
  const Result result = inspect({path("small.safetensors")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const std::string first = path("small.safetensors") + ": safetensors, ";
  ASSERT_TRUE(result.out.starts_with(first)) << result.out;
  const nlohmann::json json = inspect_json(path("small.safetensors"));
  EXPECT_EQ(json["bytes"], bytes);
  EXPECT_EQ(json["mobilenet_v2"], true);
  EXPECT_EQ(json["names"], "torchvision");
  EXPECT_EQ(json["variant"]["width"]["value"], "0.1");
  EXPECT_EQ(json["variant"]["width"]["why"], "metadata");
  EXPECT_EQ(json["variant"]["padding"]["value"], "symmetric");
  EXPECT_EQ(json["variant"]["classes"]["value"], "10");
  EXPECT_EQ(json["variant"]["activation"]["value"], "ReLU6");
  EXPECT_EQ(json["counts"]["side"], 32);
  EXPECT_EQ(json["suspicious"], nlohmann::json::array());
  EXPECT_EQ(json["tensor_count"], 262);
}

// FACTS every reader will compare: the paper's, torchvision's and MMClassification's counts.
TEST_F(Inspect, CountsAsThePublishedTablesDo) {
  models::MobileNetV2 net;
  models::save(net, {}, path("full.safetensors"));
  const nlohmann::json counts = inspect_json(path("full.safetensors"))["counts"];
  EXPECT_EQ(counts["parameters"], 3504872);
  EXPECT_EQ(counts["multiply_adds"], 300774272);
  EXPECT_EQ(counts["flops_mmcls"], 319019008);
  EXPECT_EQ(counts["flops"], 601548544);
}

TEST_F(Inspect, FindsWhatIsSuspicious) {
  write_small_network(path("bad.safetensors"));
  models::Checkpoint checkpoint = models::read_checkpoint(path("bad.safetensors"));
  checkpoint.tensors.at("features.0.0.weight").data()[0] = NAN;
  checkpoint.tensors.at("features.0.1.running_mean").data()[2] = -INFINITY;
  checkpoint.tensors.at("features.0.1.weight").data()[1] = 1e-40f;
  checkpoint.tensors.at("features.0.1.running_var").data()[3] = -0.5f;
  checkpoint.tensors.at("features.2.conv.3.running_var").data()[0] = 0.0f;
  models::write_safetensors(path("bad.safetensors"), checkpoint);
  const std::vector<std::string> want = {"1 of 216 values of features.0.0.weight are NaN",
                                         "1 of 8 values of features.0.1.running_mean are infinite",
                                         "features.0.1.running_var has a variance below zero: -0.5",
                                         "1 of 8 values of features.0.1.weight are denormal",
                                         "features.2.conv.3.running_var has a variance of zero: 0"};
  EXPECT_EQ(inspect_json(path("bad.safetensors"))["suspicious"], want);
}

TEST_F(Inspect, DescribesOtherTensorsToo) {
  models::write_safetensors(
      path("other.safetensors"),
      {.tensors = {{"layer\n\x1b[31m", Tensor::zeros({2, 3})}}, .metadata = {{"by", "a\x07hand"}}});
  const Result result = inspect({"--tensors", path("other.safetensors")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, text(path("other.safetensors"), ": safetensors, ",
                             std::filesystem::file_size(path("other.safetensors")),
                             " bytes\n"
                             "  network         not a MobileNetV2: must hold a MobileNetV2: it has "
                             "no tensor features.0.0.weight\n"
                             "  tensors         1 with 6 values\n"
                             "  metadata        by = a\\x07hand\n"
                             "tensors:\n"
                             "  layer\\n\\x1b[31m  F32 [2, 3]  min 0  mean 0  max 0\n"));
}

TEST_F(Inspect, ListsLimits) {
  const Result result = inspect({"--limits"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.out.find("safetensors-header     100000000 bytes   a safetensors header\n"),
            std::string::npos)
      << result.out;
}

TEST_F(Inspect, NeedsOneThingToDo) {
  expect_failure({}, 2, "FILE is required (see inspect --help)");
  expect_failure({"--limits", "x"}, 2, "--limits: goes alone: they are the same for every file");
  expect_failure({"--padding", "valid", "x"}, 2,
                 "--padding: must be one of same|symmetric: got 'valid'");
  expect_failure({"--preprocessing", "caffe", "x"}, 2,
                 "--preprocessing: must be one of torchvision|torchvision-v2|timm|tf: got 'caffe'");
}

TEST_F(Inspect, RefusesWhatItCannotRead) {
  expect_failure({path("none")}, 1,
                 "checkpoint: " + path("none") + ": cannot be opened: No such file or directory");
  expect_failure({folder_.path()}, 1,
                 "checkpoint: " + folder_.path().string() + ": cannot be read: Is a directory");
  expect_failure({file("empty", "")}, 1,
                 "safetensors: " + path("empty") +
                     ": file must begin with the 8 bytes of the header's length: it has 0");
  expect_failure({file("huge", std::string(8, '\xff'))}, 1,
                 "safetensors: " + path("huge") +
                     ": is not a safetensors file: its header would have 18446744073709551615 "
                     "bytes, the most is 100000000");
  data::write_png(path("a.png"), random_picture(4, 4, 1));
  expect_failure({path("a.png")}, 1,
                 "safetensors: " + path("a.png") +
                     ": is not a safetensors file: its header would have 727905341920923785 bytes, "
                     "the most is 100000000");
}

TEST_F(Inspect, ReadsPublishedFiles) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto mmcls = inspect_json(shared_data() / "checkpoints/mnv2_035_mmcls_zip.pth");
  EXPECT_EQ(mmcls["names"], "mmcls");
  EXPECT_EQ(mmcls["variant"]["width"]["value"], "0.35");
  EXPECT_EQ(mmcls["variant"]["padding"]["why"], "as in mmcls's model");
  const auto onnx = inspect_json(shared_data() / "imagenet/mobilenet_v2_1.0_224_tf.onnx");
  EXPECT_EQ(onnx["mobilenet_v2"], true);
  EXPECT_EQ(onnx["variant"]["padding"]["value"], "same");
  EXPECT_EQ(onnx["counts"]["multiply_adds"], 300774272);
  const auto tflite = inspect_json(shared_data() / "quantised/tf2_mobilenet_v2_1.0_224_ptq.tflite");
  EXPECT_EQ(tflite["variant"]["classes"]["value"], "1001");
  EXPECT_EQ(tflite["variant"]["labels"]["value"], "ImageNet's after \"background\"");
}

}  // namespace
}  // namespace lamina::test
