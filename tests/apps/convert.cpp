// Networks from one format to the others and back, by the real program.
#include <gtest/gtest.h>

#include "core/error.h"
#include "models/checkpoint/names.h"
#include "models/checkpoint/safetensors.h"
#include "models/load.h"
#include "models/model_file.h"
#include "tests/apps/program.h"
#include "tests/apps/small_network.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

namespace lamina::test {
namespace {

class Convert : public testing::Test {
 protected:
  Convert() { write_small_network(in_); }

  std::string path(const std::string& name) const { return folder_ / name; }

  static Result convert(const std::vector<std::string>& arguments) {
    return run({.arguments = arguments, .program = LAMINA_CONVERT});
  }

  static void expect_failure(const std::vector<std::string>& arguments, int exit_code,
                             const std::string& message) {
    const Result result = convert(arguments);
    EXPECT_EQ(result.exit_code, exit_code);
    EXPECT_EQ(result.err, "convert: " + message + "\n");
    EXPECT_EQ(result.out, "");
  }

  void expect_converted(std::vector<std::string> arguments) const {
    const Result result = convert(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    const std::string said = arguments.back() + ": written and read back: logits differ by ";
    EXPECT_TRUE(result.out.starts_with(said)) << result.out;
  }

  const Folder folder_;
  const std::string in_ = folder_ / "in.safetensors";
};

TEST_F(Convert, KeepsEveryBitThroughEveryNaming) {
  const models::Classifier before = models::read_classifier(in_);
  const Tensor x = random_tensor(before.input_shape(), 1);
  for (const std::string names : {"torchvision", "mmcls", "timm"}) {
    for (const std::string ending : {".safetensors", ".pth"}) {
      expect_converted({"--names", names, in_, path(names + ending)});
      expect_converted({path(names + ending), path("back.safetensors")});
      const models::Classifier back = models::read_classifier(path("back.safetensors"));
      EXPECT_TRUE(same_bits((*back.net)(x), (*before.net)(x))) << names << ending;
      EXPECT_EQ(back.labels, before.labels);
      EXPECT_EQ(back.preprocessing, before.preprocessing);
      EXPECT_TRUE(back.assumptions.empty());
    }
    EXPECT_EQ(models::with_our_names(models::read_archive(path(names + ".pth"))).naming,
              models::find_naming(names));
  }
}

TEST_F(Convert, FoldsAndHalves) {
  expect_converted({"--fold-bn", in_, path("folded.safetensors")});
  EXPECT_EQ(models::read_archive(path("folded.safetensors")).tensors.size(), 106u);
  expect_converted({"--half", "f16", in_, path("half.safetensors")});
  for (const auto& [name, tensor] : models::read_archive(path("half.safetensors")).tensors) {
    EXPECT_EQ(tensor.type->name, "F16") << name;
  }
  expect_converted({"--half", "bf16", in_, path("bf16.safetensors")});
}

TEST_F(Convert, WritesOnnx) {
  for (const std::string opset : {"13", "17"}) {
    expect_converted({"--opset", opset, in_, path("net.onnx")});
    expect_converted({path("net.onnx"), path("back.safetensors")});
    const models::Classifier before = models::read_classifier(in_);
    const models::Classifier back = models::read_classifier(path("back.safetensors"));
    EXPECT_EQ(back.labels, before.labels);
    EXPECT_EQ(back.preprocessing, before.preprocessing);
  }
}

// Weights beyond the range of 16 bits: what was written is not the network.
TEST_F(Convert, RemovesWhatIsAnotherNetwork) {
  models::Checkpoint checkpoint = models::read_checkpoint(in_);
  checkpoint.tensors.at("classifier.1.bias").data()[0] = 1e6f;
  models::write_safetensors(in_, checkpoint);
  const Result result = convert({"--half", "f16", in_, path("out.safetensors")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.err.starts_with("convert: " + path("out.safetensors") +
                                     ": removed: its logits differ by up to inf on a random "
                                     "picture, rounding explains "))
      << result.err;
  EXPECT_FALSE(std::filesystem::exists(path("out.safetensors")));
}

TEST_F(Convert, RefusesBadCommandLines) {
  expect_failure({in_}, 2, "IN and OUT are required (see convert --help)");
  expect_failure({in_, path("out.h5")}, 2,
                 "OUT: must end in .safetensors, .pth or .onnx: got '" + path("out.h5") + "'");
  expect_failure({"--names", "keras", in_, path("out.pth")}, 2,
                 "--names: must be torchvision, mmcls or timm: got 'keras'");
  expect_failure({"--half", "f8", in_, path("out.safetensors")}, 2,
                 "--half: must be f16 or bf16: got 'f8'");
  expect_failure({"--half", "f16", in_, path("out.pth")}, 2, "--half: goes with .safetensors only");
  expect_failure({"--opset", "12", in_, path("out.onnx")}, 2, "--opset: must be 13 or 17: got 12");
  expect_failure({in_, in_}, 2, "OUT: " + in_ + ": is IN: it will not be replaced");
}

TEST_F(Convert, RefusesWhatIsNoNetwork) {
  write_file(path("empty.pth"), "");
  expect_failure({path("empty.pth"), path("out.pth")}, 1,
                 "safetensors: " + path("empty.pth") +
                     ": file must begin with the 8 bytes of the header's length: it has 0");
  models::write_safetensors(path("other.safetensors"),
                            {.tensors = {{"a", Tensor::zeros({1})}}, .metadata = {}});
  expect_failure({path("other.safetensors"), path("out.pth")}, 1,
                 "read_classifier: " + path("other.safetensors") +
                     ": must hold a MobileNetV2: it has no tensor features.0.0.weight");
  EXPECT_FALSE(std::filesystem::exists(path("out.pth")));
}

}  // namespace
}  // namespace lamina::test
