#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"
#include "models/checkpoint/onnx.h"
#include "nn/plan.h"
#include "tests/models/onnx/model.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

// Weights outside of the model: the file's name comes from the model, which may mean harm.
namespace lamina {
namespace {

constexpr const char* kTensor = "onnx: model: node \"make_y\" (\"Conv\"): tensor \"w\": ";

class OnnxExternalData : public testing::Test {
 protected:
  OnnxExternalData() {
    const std::string bytes(reinterpret_cast<const char*>(weight_.data()), 9 * sizeof(float));
    test::write_file(folder_ / "weights.bin", "head" + bytes);
  }

  static std::vector<std::uint8_t> model(const std::string& location, const std::string& offset,
                                         const std::string& length) {
    test::OnnxModel model;
    test::proto::Tensor* w = model.initializer("w", {3, 3, 1, 1}, test::proto::Tensor::FLOAT);
    w->set_data_location(test::proto::Tensor::EXTERNAL);
    const std::pair<const char*, std::string> entries[] = {
        {"location", location}, {"offset", offset}, {"length", length}};
    for (const auto& [key, value] : entries) {
      test::proto::Entry* entry = w->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    model.node("Conv", {"x", "w"});
    return model.bytes();
  }

  void expect_refusal(const std::string& location, const std::string& message,
                      const std::string& offset = "4", const std::string& length = "36") const {
    const auto bytes = model(location, offset, length);
    test::expect_error(
        [&] { models::parse_onnx(bytes, "model", {.external_folder = folder_.path()}); },
        kTensor + message);
  }

  test::Folder folder_;
  Tensor weight_ = test::random_tensor({3, 1, 1, 3}, 1);
};

TEST_F(OnnxExternalData, IsReadWhereItIsAskedFor) {
  const models::GraphFile file = models::parse_onnx(model("weights.bin", "4", "36"), "model",
                                                    {.external_folder = folder_.path()});
  const Tensor x = test::random_tensor({1, 6, 5, 3}, 2);
  test::expect_near(nn::compile(file.graph)(x), test::doubles(nn::conv2d(x, weight_, {})), 1e-6);
}

TEST_F(OnnxExternalData, IsRefusedWhereItIsNot) {
  test::expect_error([&] { models::parse_onnx(model("weights.bin", "4", "36"), "model"); },
                     kTensor + std::string("keeps its values in another file, \"weights.bin\", "
                                           "which is not read unless "
                                           "OnnxOptions::external_folder names its folder"));
}

TEST_F(OnnxExternalData, MayNotLeaveTheFolder) {
  for (const char* name : {"../weights.bin", "/etc/passwd", "..", ".", "", "a/b", "a\\\\b"}) {
    expect_refusal(name, text("external data must be a file beside the model, named without a "
                              "folder: got \"",
                              name == std::string("a\\\\b") ? "a\\\\\\\\b" : name, '"'));
  }
  expect_refusal(std::string("weights.bin\0x", 13),
                 "external data must be a file beside the model, named without a folder: got "
                 "\"weights.bin\\u0000x\"");
}

TEST_F(OnnxExternalData, MustBeAPlainFile) {
  std::filesystem::create_symlink("weights.bin", folder_ / "link");
  expect_refusal("link",
                 "external data \"link\" cannot be opened: Too many levels of symbolic links");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  expect_refusal("pipe", "external data \"pipe\" must be a plain file");
  std::filesystem::create_directory(folder_ / "folder");
  expect_refusal("folder", "external data \"folder\" must be a plain file");
  expect_refusal("none", "external data \"none\" cannot be opened: No such file or directory");
}

TEST_F(OnnxExternalData, MustLieInTheFile) {
  expect_refusal("weights.bin",
                 "external data must lie in its file: it is 36 bytes from 5 on, \"weights.bin\" "
                 "has 40",
                 "5");
  expect_refusal("weights.bin",
                 "external data must lie in its file: it is 36 bytes from 18446744073709551615 "
                 "on, \"weights.bin\" has 40",
                 "18446744073709551615");
  expect_refusal("weights.bin", "external data must have the values' 36 bytes: its length is 32",
                 "4", "32");
  expect_refusal("weights.bin", "external data's offset must be a number: got \"-4\"", "-4");
  expect_refusal("weights.bin", "external data's length must be a number: got \"1e3\"", "4", "1e3");
}

}  // namespace
}  // namespace lamina
