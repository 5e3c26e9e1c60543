#include <cstring>
#include <gtest/gtest.h>

#include "models/checkpoint/torch/torch.h"
#include "tests/models/torch/samples.h"
#include "tests/support/expect_error.h"

namespace lamina {
namespace {

using namespace test::pickled;
using test::LegacyStorage;
using test::pickle_of;

void expect_refused(const std::string& file, const std::string& message) {
  const std::vector<std::uint8_t> bytes = test::bytes_of(file);
  test::expect_error([&] { models::parse_torch(bytes, "bad"); }, "torch: bad: " + message);
}

const std::string kBytes = "abcdefghijklmnopqrstuvwx";
const LegacyStorage kSixFloats = {"0", 6, kBytes};

// With the sixth part of a persistent id: the part of a storage that a tensor sees.
std::string viewed(std::int64_t count, const std::string& view) {
  return tuple({string("storage"), global("torch", "FloatStorage"), string("0"), string("cpu"),
                integer(count), view}) +
         'Q';
}

std::string object_of(const std::string& value) { return pickle_of(dict({string("a"), value})); }

std::string good_object() { return object_of(tensor(viewed(6, kNone), 0, {6}, {1})); }

TEST(LegacyFile, StoragesHaveViews) {
  const std::string view = tuple({string("1"), integer(2), integer(3)});
  const std::vector<std::uint8_t> bytes = test::bytes_of(
      test::torch_legacy(object_of(tensor(viewed(6, view), 1, {2}, {1})), {kSixFloats}));
  const models::Archive archive = models::parse_torch(bytes, "good");
  EXPECT_EQ(archive.container, "PyTorch (legacy)");
  const std::span<const std::uint8_t> got = archive.tensors.at("a").bytes;
  EXPECT_EQ(std::string(got.begin(), got.end()), kBytes.substr(12, 8));
}

TEST(HostileLegacy, EveryTruncationIsRefused) {
  const std::string file = test::torch_legacy(good_object(), {kSixFloats});
  const std::vector<std::uint8_t> whole = test::bytes_of(file);
  EXPECT_NO_THROW(models::parse_torch(whole, "good"));
  for (std::size_t size = 0; size < file.size(); ++size) {
    const std::vector<std::uint8_t> cut = test::bytes_of(file.substr(0, size));
    EXPECT_THROW(models::parse_torch(cut, "bad"), Error) << size;
  }
}

TEST(HostileLegacy, Views) {
  const auto with = [](const std::string& view) {
    return test::torch_legacy(object_of(tensor(viewed(6, view), 0, {1}, {1})), {kSixFloats});
  };
  expect_refused(with(tuple({string("1"), integer(4), integer(3)})),
                 "storage's view must lie in it: 3 elements from 4 of 6");
  expect_refused(with(tuple({string("1"), integer(7), integer(0)})),
                 "storage's view must lie in it: 0 elements from 7 of 6");
  expect_refused(with(tuple({string("1")})),
                 "storage's view must be (key, offset, count): the value at byte 100 is not");
  expect_refused(
      test::torch_legacy(
          object_of(tensor(viewed(6, tuple({string("1"), integer(2), integer(3)})), 0, {4}, {1})),
          {kSixFloats}),
      "tensor \"a\": must lie in its storage: shape [4], strides [1] from 0 on, in 3 "
      "elements");
}

TEST(HostileLegacy, Storages) {
  const std::string object = good_object();
  expect_refused(test::torch_legacy(object, {}), "storage \"0\" must be in the file: it is not");
  expect_refused(test::torch_legacy(object, {{"1", 6, kBytes}}),
                 "storages' keys must be those of the object: \"1\" is unknown or comes twice");
  expect_refused(test::torch_legacy(object, {kSixFloats, kSixFloats}),
                 "storages' keys must be those of the object: \"0\" is unknown or comes twice");
  expect_refused(test::torch_legacy(object, {{"0", 5, kBytes}}),
                 "storage \"0\" must have the count that the object names, 6: at 204 it has 5");
  expect_refused(test::torch_legacy(object, {{"0", 6, kBytes.substr(1)}}),
                 "is truncated: storage \"0\" needs 6 x 4 bytes at 212, there are 23");
  expect_refused(test::torch_legacy(object, {{"0", 6, kBytes + "x"}}),
                 "must end with its last storage: 1 bytes follow");
}

TEST(HostileLegacy, CountsThatOverflow) {
  const std::int64_t huge = std::int64_t{1} << 62;
  expect_refused(
      test::torch_legacy(object_of(tensor(viewed(huge, kNone), 0, {6}, {1})),
                         {{"0", huge, kBytes}}),
      "is truncated: storage \"0\" needs 4611686018427387904 x 4 bytes at 220, there are "
      "24");
}

TEST(HostileLegacy, OneStorageUnderTwoTypes) {
  const std::string object =
      pickle_of(dict({string("a"), tensor(storage("FloatStorage", "0", 6), 0, {6}, {1}),
                      string("b"), tensor(storage("DoubleStorage", "0", 6), 0, {6}, {1})}));
  expect_refused(test::torch_legacy(object, {kSixFloats}),
                 "storage \"0\" must be named alike everywhere: as 6 x 4 bytes and as 6 x 8");
}

TEST(HostileLegacy, Header) {
  std::string file = test::torch_legacy(good_object(), {kSixFloats});
  const std::size_t protocol = file.find("\xe9\x03");
  ASSERT_NE(protocol, std::string::npos);
  file[protocol] = '\0';
  expect_refused(file, "legacy protocol must be 1001: it is another");
  std::string foreign = test::torch_legacy(good_object(), {kSixFloats});
  foreign[foreign.find("little_endian") + 13] = '\x89';
  expect_refused(foreign, "must have been written on a little-endian machine: it was not");
}

}  // namespace
}  // namespace lamina
