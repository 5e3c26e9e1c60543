#include <gtest/gtest.h>

#include "models/checkpoint/limits.h"
#include "models/checkpoint/safetensors.h"
#include "tests/models/support.h"
#include "tests/support/expect_error.h"

namespace lamina {
namespace {

void expect_refused(const std::vector<std::uint8_t>& bytes, const std::string& message) {
  test::expect_error([&] { models::parse_safetensors(bytes, "bad"); },
                     "safetensors: bad: " + message);
}

void expect_refused(const std::string& header, std::size_t data, const std::string& message) {
  expect_refused(test::safetensors_file(header, std::string(data, '\0')), message);
}

std::string entry(const std::string& name, const std::string& shape, const std::string& offsets,
                  const std::string& dtype = "F32") {
  return '"' + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + '}';
}

TEST(HostileSafetensors, OtherKindsOfFiles) {
  const std::vector<std::uint8_t> zip = {'P', 'K', 3, 4, 0, 0, 0, 0, 0};
  expect_refused(zip,
                 "is a zip archive, as torch.save writes: save the state dict with "
                 "safetensors.torch.save_file");
}

TEST(HostileSafetensors, EmptyAndTruncated) {
  const std::string rule = "file must begin with the 8 bytes of the header's length: it has ";
  expect_refused(std::vector<std::uint8_t>{}, rule + "0");
  expect_refused(std::vector<std::uint8_t>(7), rule + "7");
  std::vector<std::uint8_t> bytes =
      test::safetensors_file('{' + entry("a", "[2]", "[0,8]") + '}', std::string(8, '\0'));
  bytes.pop_back();
  expect_refused(bytes, "is truncated: its tensors need 8 bytes, it has 7");
  bytes.resize(20);
  expect_refused(bytes,
                 "header must fit in the file: its length is 54, the file goes on for 12 bytes");
}

TEST(HostileSafetensors, EveryTruncationIsRefused) {
  const std::vector<std::uint8_t> bytes =
      test::safetensors_file('{' + entry("a", "[2]", "[0,8]") + '}', std::string(8, '\0'));
  EXPECT_NO_THROW(models::parse_safetensors(bytes, "good"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::uint8_t> cut(bytes.begin(),
                                        bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(models::parse_safetensors(cut, "bad"), Error) << size;
  }
}

TEST(HostileSafetensors, HeaderTooLong) {
  expect_refused(std::vector<std::uint8_t>(8, 0xff),
                 "is not a safetensors file: its header would have 18446744073709551615 bytes, the "
                 "most is 100000000");
  expect_refused(
      std::vector<std::uint8_t>{0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0},
      "is not a safetensors file: its header would have 100000001 bytes, the most is 100000000");
}

TEST(HostileSafetensors, NotJson) {
  expect_refused("{\"a\":", 0, "header must be JSON: byte 6 of 5 is not");
  expect_refused("", 0, "header must be JSON: byte 1 of 0 is not");
  expect_refused("{} x", 0, "header must be JSON: byte 4 of 4 is not");
  expect_refused("{\"\xff\":1}", 0, "header must be JSON: byte 3 of 7 is not");
}

TEST(HostileSafetensors, NotAnObject) {
  expect_refused("[1]", 0, "header must be a JSON object: it is of type array");
  expect_refused("null", 0, "header must be a JSON object: it is of type null");
  expect_refused("{\"a\":[]}", 0,
                 "tensor \"a\": must have dtype, shape and data_offsets, and nothing else");
  expect_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 0,
                 "tensor \"a\": must have dtype, shape and data_offsets, and nothing else");
}

TEST(HostileSafetensors, DeepNesting) {
  expect_refused(std::string(1000000, '['), 0, "header must be a JSON object: it is of type array");
  expect_refused('{' + entry("a", "[[1]]", "[0,4]") + '}', 4,
                 "tensor \"a\": shape must be a list of sizes: got a list");
  expect_refused(R"({"__metadata__":{"a":{"b":{}}}})", 0,
                 "__metadata__ must be an object of strings: \"a\" is of type object");
  expect_refused(R"({"a":{"dtype":)" + std::string(1000000, '['), 0,
                 "tensor \"a\": dtype must be that of numbers of 1 to 8 bytes: got a list");
}

TEST(HostileSafetensors, DuplicateNames) {
  expect_refused('{' + entry("a", "[1]", "[0,4]") + ',' + entry("a", "[1]", "[4,8]") + '}', 8,
                 "names must differ: \"a\" comes twice");
  expect_refused(R"({"__metadata__":{},"__metadata__":{}})", 0,
                 "names must differ: \"__metadata__\" comes twice");
  expect_refused(R"({"__metadata__":{"a":"1","a":"2"}})", 0,
                 "names must differ: \"a\" comes twice");
  expect_refused(R"({"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]}})", 8,
                 "names must differ: \"shape\" comes twice");
}

std::string empty_tensors(std::size_t count) {
  std::string header = "{";
  for (std::size_t i = 0; i < count; ++i) {
    header += (i == 0 ? "" : ",") + entry(std::to_string(i), "[0]", "[0,0]");
  }
  return header + '}';
}

TEST(HostileSafetensors, WhatWouldTakeMuchMemory) {
  const auto most = test::safetensors_file(empty_tensors(models::limits::kTensors), "");
  EXPECT_EQ(models::parse_safetensors(most, "most").tensors.size(), models::limits::kTensors);
  expect_refused(empty_tensors(models::limits::kTensors + 1), 0,
                 "must have at most 100000 tensors: it has more");
  expect_refused('{' + entry(std::string(1025, 'a'), "[0]", "[0,0]") + '}', 0,
                 "names must have at most 1024 bytes: one has 1025");
  std::string shape = "[0";
  for (int i = 0; i < 1000; ++i) {
    shape += ",0";
  }
  expect_refused('{' + entry("a", shape + "]", "[0,0]") + '}', 0,
                 "tensor \"a\": lists must have at most 64 numbers: one has more");
  expect_refused(R"({"__metadata__":{"a":")" + std::string(16'000'001, 'x') + "\"}}", 0,
                 "header's strings must have at most 16000000 bytes: one has 16000001");
  std::string metadata = R"({"__metadata__":{"":"")";
  for (int i = 0; i < 10'000; ++i) {
    metadata += text(",\"", i, "\":\"\"");
  }
  expect_refused(metadata + "}}", 0, "__metadata__ must have at most 10000 entries: it has more");
}

TEST(HostileSafetensors, NamesArePrintedEscaped) {
  expect_refused(R"({"\u001b[31m\n":1})", 0,
                 "tensor \"\\u001b[31m\\n\": must have dtype, shape and data_offsets, and nothing "
                 "else");
}

TEST(HostileSafetensors, Metadata) {
  expect_refused(R"({"__metadata__":3})", 0,
                 "__metadata__ must be an object of strings: it is of type number");
  expect_refused(R"({"__metadata__":{"width":1.0}})", 0,
                 "__metadata__ must be an object of strings: \"width\" is of type number");
}

TEST(HostileSafetensors, Types) {
  expect_refused('{' + entry("a", "[1]", "[0,1]", "F8_E4M3") + '}', 1,
                 "tensor \"a\": dtype must be that of numbers of 1 to 8 bytes: got \"F8_E4M3\"");
  expect_refused(R"({"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})", 4,
                 "tensor \"a\": dtype must be that of numbers of 1 to 8 bytes: got 4");
  expect_refused('{' + entry("a", "[-1]", "[0,4]") + '}', 4,
                 "tensor \"a\": shape must be a list of sizes: got -1");
  expect_refused('{' + entry("a", "[1.5]", "[0,4]") + '}', 4,
                 "tensor \"a\": shape must be a list of sizes: got 1.5");
  expect_refused('{' + entry("a", "\"1\"", "[0,4]") + '}', 4,
                 "tensor \"a\": shape must be a list of sizes: got \"1\"");
  expect_refused('{' + entry("a", "[1]", "[0,4,8]") + '}', 4,
                 "tensor \"a\": data_offsets must be two offsets: got 3");
  expect_refused('{' + entry("a", "[1]", "[0,1e30]") + '}', 4,
                 "tensor \"a\": data_offsets must be two offsets: got 1e30");
  expect_refused('{' + entry("a", "[1e999]", "[0,4]") + '}', 4,
                 "header must hold numbers in range: one of them is too large");
}

TEST(HostileSafetensors, NumbersWithoutEnd) {
  expect_refused(R"({"a":{"dtype":"F32","shape":[)" + std::string(1'000'000, '1'), 0,
                 "header must hold numbers in range: one of them is too large");
}

TEST(HostileSafetensors, SizesAndShapes) {
  expect_refused('{' + entry("a", "[1]", "[0,2]") + '}', 2,
                 "tensor \"a\": size must be that of its shape: data_offsets are 0 to 2, F32 x [1] "
                 "needs 4 bytes");
  expect_refused('{' + entry("a", "[1]", "[4,0]") + '}', 4,
                 "tensor \"a\": size must be that of its shape: data_offsets are 4 to 0, F32 x [1] "
                 "needs 4 bytes");
}

TEST(HostileSafetensors, ProductsThatOverflow) {
  expect_refused('{' + entry("a", "[4294967296,4294967296]", "[0,0]") + '}', 0,
                 "tensor \"a\": size must be below 2^63 bytes: shape is [4294967296,4294967296]");
  expect_refused('{' + entry("a", "[0,18446744073709551615,16]", "[0,0]", "I8") + '}', 1,
                 "tensors must fill the data: they end at 0, the data at 1");
  expect_refused('{' + entry("a", "[18446744073709551615,0]", "[0,0]") + '}', 0,
                 "tensor \"a\": size must be below 2^63 bytes: shape is [18446744073709551615,0]");
}

TEST(HostileSafetensors, OverlapsHolesAndRests) {
  const auto two = [](const std::string& first, const std::string& second) {
    return '{' + entry("a", "[2]", first) + ',' + entry("b", "[1]", second) + '}';
  };
  EXPECT_NO_THROW(models::parse_safetensors(
      test::safetensors_file(two("[4,12]", "[0,4]"), std::string(12, '\0')), "good"));
  expect_refused(two("[0,8]", "[4,8]"), 8,
                 "tensors must follow one another: \"b\" begins at 4, the one before ends at 8");
  expect_refused(two("[0,8]", "[12,16]"), 16,
                 "tensors must follow one another: \"b\" begins at 12, the one before ends at 8");
  expect_refused(two("[4,12]", "[12,16]"), 16,
                 "tensors must follow one another: \"a\" begins at 4, the one before ends at 0");
  expect_refused(two("[0,8]", "[8,12]"), 16,
                 "tensors must fill the data: they end at 12, the data at 16");
  expect_refused("{}", 1, "tensors must fill the data: they end at 0, the data at 1");
}

}  // namespace
}  // namespace lamina
