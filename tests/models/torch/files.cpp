#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "models/checkpoint/archive.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"

namespace lamina {
namespace {

using models::Archive;
using models::StoredTensor;

std::filesystem::path files() { return test::shared_data() / "checkpoints"; }

template <class Stored>
std::vector<double> values_as(const std::vector<std::uint8_t>& bytes) {
  std::vector<double> values(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    values[i] = static_cast<double>(value);
  }
  return values;
}

// Element by element, in the file's own type.
std::vector<double> stored_values(const StoredTensor& tensor) {
  using Convert = std::vector<double> (*)(const std::vector<std::uint8_t>&);
  const std::map<std::string_view, Convert> converts = {
      {"F64", values_as<double>},       {"F32", values_as<float>},
      {"I64", values_as<std::int64_t>}, {"I32", values_as<std::int32_t>},
      {"I16", values_as<std::int16_t>}, {"I8", values_as<std::int8_t>},
      {"U8", values_as<std::uint8_t>},  {"BOOL", values_as<std::uint8_t>}};
  const auto found = converts.find(tensor.type->name);
  if (found != converts.end()) {
    return found->second(models::packed(tensor));
  }
  const Tensor floats = models::to_float(tensor);  // exact for F16 and BF16
  return {floats.data(), floats.data() + floats.size()};
}

class Torture : public testing::TestWithParam<const char*> {};

TEST_P(Torture, EveryTensorToTheLastValue) {
  LAMINA_NEEDS_SHARED_DATA();
  const std::map<std::string, std::string> names = {
      {"torch.float32", "F32"},   {"torch.float64", "F64"}, {"torch.float16", "F16"},
      {"torch.bfloat16", "BF16"}, {"torch.int64", "I64"},   {"torch.int32", "I32"},
      {"torch.int16", "I16"},     {"torch.int8", "I8"},     {"torch.uint8", "U8"},
      {"torch.bool", "BOOL"}};
  std::ifstream file(files() / "torture_expected.json");
  const auto expected = nlohmann::json::parse(file);
  const Archive archive = models::read_archive(files() / GetParam());
  EXPECT_EQ(archive.tensors.size(), expected.size());
  for (const auto& [name, want] : expected.items()) {
    const StoredTensor& got = archive.tensors.at(name);
    EXPECT_EQ(got.type->name, names.at(want["dtype"].get<std::string>())) << name;
    EXPECT_EQ(got.shape, want["shape"].get<std::vector<std::uint64_t>>()) << name;
    EXPECT_EQ(stored_values(got), want["values"].get<std::vector<double>>()) << name;
  }
}

TEST_P(Torture, SaysWhatWasChosen) {
  LAMINA_NEEDS_SHARED_DATA();
  EXPECT_EQ(models::read_archive(files() / GetParam()).remarks,
            (std::vector<std::string>{
                "tensors are those of \"tensors\"",
                "left out, not being tensors of the network: \"nested\", \"big_list\""}));
}

INSTANTIATE_TEST_SUITE_P(Files, Torture, testing::Values("torture_zip.pth", "torture_legacy.pth"),
                         [](const auto& file) {
                           const std::string name = file.param;
                           return name.substr(8, name.size() - 12);
                         });

// The table of names: mmcls's module, torchvision's module.
std::map<std::string, std::string> read_mapping() {
  std::map<std::string, std::string> mapping;
  std::ifstream table(files() / "mmcls_mapping.md");
  for (std::string line; std::getline(table, line);) {
    const std::size_t middle = line.find(" | ");
    if ((line.starts_with("| backbone") || line.starts_with("| head")) &&
        line.find(" | ", middle + 1) == std::string::npos) {
      mapping[line.substr(2, middle - 2)] = line.substr(middle + 3, line.size() - middle - 5);
    }
  }
  return mapping;
}

class SmallNetwork : public testing::TestWithParam<const char*> {};

TEST_P(SmallNetwork, HasTheBitsOfTheSafetensorsFile) {
  LAMINA_NEEDS_SHARED_DATA();
  const Archive want = models::read_archive(test::shared_data() /
                                            "training/mnv2_035_perturbed_state_f32.safetensors");
  const Archive got = models::read_archive(files() / GetParam());
  const std::map<std::string, std::string> mapping = read_mapping();
  ASSERT_EQ(got.tensors.size(), want.tensors.size());
  for (const auto& [name, tensor] : got.tensors) {
    const std::size_t dot = name.rfind('.');
    const auto found = mapping.find(name.substr(0, dot));
    const StoredTensor& same =
        want.tensors.at(found == mapping.end() ? name : found->second + name.substr(dot));
    EXPECT_EQ(tensor.type->name, same.type->name) << name;
    EXPECT_EQ(tensor.shape, same.shape) << name;
    EXPECT_EQ(models::packed(tensor), models::packed(same)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, SmallNetwork,
                         testing::Values("mnv2_035_state_zip.pth", "mnv2_035_state_legacy.pth",
                                         "mnv2_035_mmcls_zip.pth", "mnv2_035_mmcls_legacy.pth",
                                         "mnv2_035_mmcls_with_optimizer_zip.pth"),
                         [](const auto& file) {
                           const std::string name = file.param;
                           return name.substr(9, name.size() - 13);
                         });

TEST(TorchFiles, TrainingCheckpoint) {
  LAMINA_NEEDS_SHARED_DATA();
  const Archive archive = models::read_archive(files() / "mnv2_035_mmcls_with_optimizer_zip.pth");
  EXPECT_EQ(archive.container, "PyTorch (zip)");
  EXPECT_EQ(archive.remarks, (std::vector<std::string>{
                                 "tensors are those of \"state_dict\"",
                                 "left out, not being tensors of the network: \"optimizer\""}));
  EXPECT_EQ(archive.metadata.at("torch.meta.epoch"), "300");
  EXPECT_EQ(archive.metadata.at("torch.meta.mmcls_version"), "0.15.0");
  EXPECT_EQ(archive.metadata.at("labels").substr(0, 14), "class0\nclass1\n");
}

TEST(TorchFiles, WholeModule) {
  LAMINA_NEEDS_SHARED_DATA();
  const std::string path = (files() / "whole_module_zip.pth").string();
  test::expect_error(
      [&] { models::read_archive(path); },
      "torch: " + path +
          ": data.pkl: holds a whole pickled module, with code to run, not a state dict: byte 2 "
          "names \"torch.nn.modules.linear.Linear\"; load it where it was made and save its "
          "tensors: torch.save(model.state_dict(), path)");
}

}  // namespace
}  // namespace lamina
