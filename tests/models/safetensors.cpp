#include "models/checkpoint/safetensors.h"

#include <algorithm>
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

// Every number of 16 bits comes back, and between two of them the nearer one is taken, halfway the
// even one.
void expect_nearest(models::StoredType type, std::uint16_t infinity) {
  const test::Folder folder;
  const auto path = folder / "half.safetensors";
  const std::string dtype = type == models::StoredType::f16 ? "F16" : "BF16";
  std::string halves;
  for (std::uint32_t i = 0; i < infinity; ++i) {
    halves += {static_cast<char>(i & 255), static_cast<char>(i >> 8)};
  }
  const Tensor numbers = read_one(dtype, halves, infinity);
  Tensor between = Tensor::zeros({infinity, 3});
  for (std::size_t i = 0; i + 1 < infinity; ++i) {
    const float low = numbers.data()[i], high = numbers.data()[i + 1];
    const float middle = low + (high - low) / 2;
    between.data()[3 * i] = std::nextafter(middle, low);
    between.data()[3 * i + 1] = -middle;
    between.data()[3 * i + 2] = std::nextafter(middle, high);
  }
  models::write_safetensors(path, {.tensors = {{"a", numbers}, {"b", between}}, .metadata = {}},
                            type);
  const auto got = models::read_checkpoint(path).tensors;
  EXPECT_TRUE(test::same_bits(got.at("a"), numbers));
  for (std::size_t i = 0; i + 1 < infinity; ++i) {
    const float* rounded = got.at("b").data() + 3 * i;
    ASSERT_EQ(rounded[0], numbers.data()[i]) << i;
    ASSERT_EQ(rounded[1], -numbers.data()[i + i % 2]) << i;
    ASSERT_EQ(rounded[2], numbers.data()[i + 1]) << i;
  }
}

TEST(Safetensors, WritesTheNearestF16) { expect_nearest(models::StoredType::f16, 0x7c00); }

TEST(Safetensors, WritesTheNearestBf16) { expect_nearest(models::StoredType::bf16, 0x7f80); }

TEST(Safetensors, WritesInfinityAndNanInHalf) {
  const test::Folder folder;
  const auto path = folder / "half.safetensors";
  Tensor values = Tensor::zeros({5});
  const float given[] = {INFINITY, -INFINITY, NAN, 65519.996f, 65520.0f};
  std::ranges::copy(given, values.data());
  for (const auto type : {models::StoredType::f16, models::StoredType::bf16}) {
    models::write_safetensors(path, {.tensors = {{"a", values}}, .metadata = {}}, type);
    const Tensor got = models::read_checkpoint(path).tensors.at("a");
    EXPECT_EQ(got.data()[0], INFINITY);
    EXPECT_EQ(got.data()[1], -INFINITY);
    EXPECT_TRUE(std::isnan(got.data()[2]));
    const bool f16 = type == models::StoredType::f16;
    EXPECT_EQ(got.data()[3], f16 ? 65504.0f : 65536.0f);
    EXPECT_EQ(got.data()[4], f16 ? INFINITY : 65536.0f);
  }
}

TEST(Safetensors, RefusesTextThatIsNotUtf8) {
  const test::Folder folder;
  const std::string rule = "safetensors: names and metadata must be UTF-8: ";
  test::expect_error(
      [&] {
        models::write_safetensors(folder / "f", {.tensors = {{"a\xff", Tensor()}}, .metadata = {}});
      },
      rule + "\"a\\ufffd\"");
  for (const std::string bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_THROW(models::write_safetensors(folder / "f", {.tensors = {}, .metadata = {{"a", bad}}}),
                 Error);
  }
  const std::string good = "\xe2\x82\xac \xf0\x9f\x90\x88 \x7f";
  models::write_safetensors(folder / "f", {.tensors = {}, .metadata = {{"a", good}}});
  EXPECT_EQ(models::read_checkpoint(folder / "f").metadata.at("a"), good);
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
