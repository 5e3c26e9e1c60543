#include "models/checkpoint/archive.h"

#include <cstring>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using models::StoredTensor;

template <class Value>
std::span<const std::uint8_t> bytes_of(const std::vector<Value>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(Value)};
}

TEST(Archive, FollowsStrides) {
  const std::vector<double> storage = {0, 1, 2, 3, 4, 5};
  const StoredTensor transposed{.type = models::find_element_type("F64"),
                                .shape = {3, 2},
                                .strides = {1, 3},
                                .bytes = bytes_of(storage)};
  const std::vector<double> want = {0, 3, 1, 4, 2, 5};
  EXPECT_EQ(test::doubles(models::to_float(transposed)), want);
  const std::vector<std::uint8_t> elements = models::packed(transposed);
  ASSERT_EQ(elements.size(), 48u);
  EXPECT_EQ(std::memcmp(elements.data(), want.data(), 48), 0);
}

TEST(Archive, RepeatsWhereAStrideIsZero) {
  const std::vector<float> storage = {7, 8};
  const StoredTensor expanded{.type = models::find_element_type("F32"),
                              .shape = {2, 2, 2},
                              .strides = {0, 1, 0},
                              .bytes = bytes_of(storage)};
  EXPECT_EQ(test::doubles(models::to_float(expanded)),
            (std::vector<double>{7, 7, 8, 8, 7, 7, 8, 8}));
}

TEST(Archive, DequantizesAlongAnAxis) {
  const std::vector<std::int8_t> storage = {-128, 127, 0, 1, 2, 3};
  const StoredTensor tensor{.type = models::find_element_type("I8"),
                            .shape = {1, 3, 2},
                            .bytes = bytes_of(storage),
                            .quantization = std::make_shared<models::Quantization>(
                                models::Quantization{{0.5, 2.0, 1.0}, {0, 1, -1}, 1})};
  EXPECT_EQ(test::doubles(models::to_float(tensor)), (std::vector<double>{-64, 63.5, -2, 0, 3, 4}));
}

TEST(Archive, LoadsFloatingAndQuantizedTensorsOnly) {
  const std::vector<std::uint8_t> storage(8, 1);
  const models::ElementType* u8 = models::find_element_type("U8");
  models::Archive archive;
  archive.tensors["counter"] = {.type = u8, .shape = {8}, .bytes = storage};
  archive.tensors["weight"] = {
      .type = u8,
      .shape = {8},
      .bytes = storage,
      .quantization = std::make_shared<models::Quantization>(models::Quantization{{1.0}, {0}, 0})};
  const models::Checkpoint checkpoint = models::to_checkpoint(archive, "file");
  EXPECT_EQ(checkpoint.tensors.size(), 1u);
  EXPECT_EQ(test::doubles(checkpoint.tensors.at("weight")), std::vector<double>(8, 1.0));
}

TEST(Archive, RefusesRankFive) {
  const std::vector<float> storage = {1};
  models::Archive archive;
  archive.tensors["deep"] = {.type = models::find_element_type("F32"),
                             .shape = {1, 1, 1, 1, 1},
                             .bytes = bytes_of(storage)};
  test::expect_error(
      [&] { models::to_checkpoint(archive, "f.pth"); },
      "checkpoint: f.pth: tensor \"deep\": rank must be at most 4: [1,1,1,1,1] has rank 5");
}

// One value shown a thousand million times, or many tensors that share one storage.
TEST(Archive, RefusesToGrowWithoutReason) {
  const std::vector<float> storage(1 << 12);
  models::Archive archive;
  StoredTensor& huge = archive.tensors["huge"];
  huge = {.type = models::find_element_type("F32"),
          .shape = {1'000'000'000},
          .strides = {0},
          .bytes = bytes_of(storage)};
  test::expect_error([&] { models::to_checkpoint(archive, "f.pth"); },
                     "checkpoint: f.pth: tensors must not need over 8 times their bytes in the "
                     "file: they have 1000000000 values in 16384 bytes");
  huge = {.type = huge.type, .shape = {1 << 12}, .bytes = bytes_of(storage)};
  for (int i = 0; i < 39; ++i) {
    archive.tensors["again" + std::to_string(i)] = huge;
  }
  EXPECT_EQ(models::to_checkpoint(archive, "f.pth").tensors.size(), 40u);
  archive.tensors["once more"] = huge;
  EXPECT_THROW(models::to_checkpoint(archive, "f.pth"), Error);
}

}  // namespace
}  // namespace lamina
