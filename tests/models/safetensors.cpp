#include "models/checkpoint/safetensors.h"

#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "tests/models/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using models::Checkpoint;

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) {
    bytes += static_cast<char>(value);
  }
  return bytes;
}

Tensor read_one(const std::string& dtype, const std::string& data, std::size_t count) {
  const std::string header = "{\"x\":{\"dtype\":\"" + dtype + "\",\"shape\":[" +
                             std::to_string(count) + "],\"data_offsets\":[0," +
                             std::to_string(data.size()) + "]}}";
  const auto file = test::safetensors_file(header, data);
  return models::to_float(models::parse_safetensors(file, "file").tensors.at("x"));
}

TEST(Safetensors, ConvertsEveryFloatType) {
  // 1.5, -2, and the smallest positive number of each type that is not normal.
  const Tensor f16 = read_one("F16", bytes_of({0x00, 0x3e, 0x00, 0xc0, 0x01, 0x00}), 3);
  EXPECT_EQ(test::doubles(f16), (std::vector<double>{1.5, -2.0, std::ldexp(1.0, -24)}));
  const Tensor bf16 = read_one("BF16", bytes_of({0xc0, 0x3f, 0x00, 0xc0, 0x01, 0x00}), 3);
  EXPECT_EQ(test::doubles(bf16), (std::vector<double>{1.5, -2.0, std::ldexp(1.0, -133)}));
  const Tensor f32 = read_one("F32", bytes_of({0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0, 1, 0, 0, 0}), 3);
  EXPECT_EQ(test::doubles(f32), (std::vector<double>{1.5, -2.0, std::ldexp(1.0, -149)}));
  const Tensor f64 =
      read_one("F64", bytes_of({0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0}), 2);
  EXPECT_EQ(test::doubles(f64), (std::vector<double>{1.5, -2.0}));
}

TEST(Safetensors, ConvertsInfinityAndNan) {
  const Tensor f16 =
      read_one("F16", bytes_of({0x00, 0x7c, 0x00, 0xfc, 0x00, 0x7e, 0xff, 0x7b, 0x00, 0x80}), 5);
  EXPECT_EQ(f16.data()[0], INFINITY);
  EXPECT_EQ(f16.data()[1], -INFINITY);
  EXPECT_TRUE(std::isnan(f16.data()[2]));
  EXPECT_EQ(f16.data()[3], 65504.0f);
  EXPECT_TRUE(f16.data()[4] == 0.0f && std::signbit(f16.data()[4]));
}

TEST(Safetensors, LeavesIntegersOut) {
  const std::string header =
      "{\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
      "\"x\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[8,12]},"
      "\"deep\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,2],\"data_offsets\":[12,14]},"
      "\"none\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[14,14]}}   ";
  const auto file = test::safetensors_file(header, std::string(14, '\0'));
  const Checkpoint read = models::to_checkpoint(models::parse_safetensors(file, "file"), "file");
  ASSERT_EQ(read.tensors.size(), 2u);
  EXPECT_EQ(read.tensors.at("x").shape(), (Shape{1, 1}));
  EXPECT_EQ(read.tensors.at("none").shape(), (Shape{3, 0}));
  EXPECT_TRUE(read.metadata.empty());
}

TEST(Safetensors, RoundTrips) {
  const test::Folder folder;
  const auto path = folder / "net.safetensors";
  const Checkpoint written{
      .tensors = {{"b", test::random_tensor({2, 3, 1, 5}, 1)},
                  {"a", test::random_tensor({7}, 2)},
                  {"none", Tensor::zeros({0, 4})},
                  {"one", test::random_tensor({}, 3)}},
      .metadata = {{"arch", "mobilenet_v2"}, {"labels", "a \"quoted\"\nname \xc3\xa9"}}};
  models::write_safetensors(path, written);
  models::write_safetensors(path, written);  // over the one there is
  const Checkpoint read = models::read_checkpoint(path);
  EXPECT_EQ(read.metadata, written.metadata);
  ASSERT_EQ(read.tensors.size(), written.tensors.size());
  for (const auto& [name, tensor] : written.tensors) {
    EXPECT_TRUE(test::same_bits(read.tensors.at(name), tensor)) << name;
  }
  const auto entries = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "a temporary file is left";
}

TEST(Safetensors, AlignsTheData) {
  const test::Folder folder;
  for (const char* name : {"a", "ab", "abc", "abcdefgh"}) {
    const auto path = folder.path() / name;
    models::write_safetensors(path, {.tensors = {{name, Tensor::zeros({1})}}, .metadata = {}});
    EXPECT_EQ(std::filesystem::file_size(path) % 8, 4u);
  }
}

TEST(Safetensors, FilesThatCannotBeRead) {
  const test::Folder folder;
  const std::string missing = (folder / "missing.safetensors").string();
  test::expect_error([&] { models::read_checkpoint(missing); },
                     "checkpoint: " + missing + ": cannot be opened: No such file or directory");
  const std::string directory = folder.path().string();
  test::expect_error([&] { models::read_checkpoint(directory); },
                     "checkpoint: " + directory + ": cannot be read: Is a directory");
  const std::string nowhere = (folder / "no/such/file").string();
  test::expect_error([&] { models::write_safetensors(nowhere, {}); },
                     "safetensors: " + nowhere + ": cannot be written: its folder " +
                         (folder / "no/such").string() + ": No such file or directory");
  test::expect_error(
      [&] {
        models::write_safetensors(folder / "file",
                                  {.tensors = {{"__metadata__", Tensor()}}, .metadata = {}});
      },
      "safetensors: no tensor may be called __metadata__");
}

}  // namespace
}  // namespace lamina
