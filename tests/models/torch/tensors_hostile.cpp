#include <gtest/gtest.h>

#include "models/checkpoint/torch/torch.h"
#include "tests/models/torch/samples.h"
#include "tests/support/expect_error.h"

namespace lamina {
namespace {

using namespace test::pickled;
using models::Archive;
using test::pickle_of;

constexpr std::int64_t kHuge = std::int64_t{1} << 62;

Archive read(const std::string& file, std::vector<std::uint8_t>& bytes) {
  bytes = test::bytes_of(file);
  return models::parse_torch(bytes, "bad");
}

void expect_refused(const std::string& file, const std::string& message) {
  std::vector<std::uint8_t> bytes;
  test::expect_error([&] { read(file, bytes); }, "torch: bad: " + message);
}

// A file of one tensor "a", and a storage "0" of six floats.
std::string file_of(const std::string& value) {
  return test::torch_zip(pickle_of(dict({string("a"), value})), {{"0", std::string(24, '\1')}});
}

std::string six_floats() { return storage("FloatStorage", "0", 6); }

void expect_tensor_refused(const std::string& value, const std::string& message) {
  expect_refused(file_of(value), "tensor \"a\": " + message);
}

TEST(HostileTensors, OutsideOfTheirStorage) {
  const std::string rule = "must lie in its storage: shape ";
  expect_tensor_refused(tensor(six_floats(), 0, {7}, {1}),
                        rule + "[7], strides [1] from 0 on, in 6 elements");
  expect_tensor_refused(tensor(six_floats(), 1, {2, 3}, {3, 1}),
                        rule + "[2,3], strides [3,1] from 1 on, in 6 elements");
  expect_tensor_refused(tensor(six_floats(), 6, {1}, {1}),
                        rule + "[1], strides [1] from 6 on, in 6 elements");
  expect_tensor_refused(tensor(six_floats(), kHuge, {}, {}),
                        rule + "[], strides [] from 4611686018427387904 on, in 6 elements");
  expect_tensor_refused(tensor(six_floats(), 0, {5, 2}, {kHuge, 1}),
                        rule + "[5,2], strides [4611686018427387904,1] from 0 on, in 6 elements");
}

TEST(HostileTensors, SizesThatOverflow) {
  expect_tensor_refused(tensor(six_floats(), 0, {1LL << 32, 1LL << 32}, {0, 0}),
                        "size must be below 2^63 bytes: shape is [4294967296,4294967296]");
  expect_tensor_refused(tensor(six_floats(), 0, {kHuge}, {0}),
                        "size must be below 2^63 bytes: shape is [4611686018427387904]");
}

TEST(HostileTensors, RepeatsOfOneValue) {
  expect_tensor_refused(tensor(six_floats(), 0, {1000, 1000}, {0, 0}),
                        "must not repeat its storage over 8 times: it has 1000000 values in 6");
}

TEST(HostileTensors, ShapesAndStrides) {
  expect_tensor_refused(tensor(six_floats(), 0, {2}, {1, 1}),
                        "shape and strides must have as many numbers: [2] and [1,1]");
  expect_tensor_refused(
      tensor(six_floats(), 0, std::vector<std::int64_t>(17, 1), std::vector<std::int64_t>(17, 1)),
      "must have at most 16 axes: it has 17");
  expect_tensor_refused(
      tensor(six_floats(), 0, {-1}, {1}),
      "counts and offsets must be numbers from 0 on: the value at byte 98 is not");
  expect_tensor_refused(
      tensor(six_floats(), 5, {2}, {-1}),
      "counts and offsets must be numbers from 0 on: the value at byte 102 is not");
  expect_tensor_refused(call(global("torch._utils", "_rebuild_tensor_v2"),
                             {six_floats(), integer(0), integer(2), integer(1)}),
                        "shape and strides must be tuples: the value at byte 97 is not");
  expect_tensor_refused(call(global("torch._utils", "_rebuild_tensor_v2"), {six_floats()}),
                        "must be rebuilt from 4 arguments or more: it has 1");
}

TEST(HostileTensors, Storages) {
  expect_refused(file_of(tensor(storage("FloatStorage", "1", 6), 0, {6}, {1})),
                 "storage \"1\" must be in the archive: it is not");
  expect_refused(file_of(tensor(storage("FloatStorage", "0", 7), 0, {6}, {1})),
                 "storage \"0\" must have the size that the object names, 7 x 4 bytes: it has 24");
  expect_refused(file_of(tensor(storage("FloatStorage", "0", kHuge), 0, {6}, {1})),
                 "storage \"0\" must have the size that the object names, 4611686018427387904 x 4 "
                 "bytes: it has 24");
  expect_refused(file_of(tensor(storage("FloatStorage", "../data.pkl", 6), 0, {6}, {1})),
                 "storage \"../data.pkl\" must be in the archive: it is not");
  expect_tensor_refused(
      tensor(kNone, 0, {6}, {1}),
      "storage must be named as (\"storage\", type, key, device, count): the value "
      "at byte 0 is not");
  expect_tensor_refused(
      tensor(tuple({string("module"), kNone}) + 'Q', 0, {6}, {1}),
      "storage must be named as (\"storage\", type, key, device, count): the value at byte 58 is "
      "not");
}

std::string quantized(const std::string& quantizer) {
  return call(global("torch._utils", "_rebuild_qtensor"),
              {storage("QInt8Storage", "0", 24), integer(0), tuple({integer(2), integer(3)}),
               tuple({integer(3), integer(1)}), quantizer, "\x89", kNone});
}

TEST(HostileTensors, Quantizers) {
  const std::string scheme = global("torch", "per_tensor_affine");
  const std::string channel = global("torch", "per_channel_affine");
  expect_tensor_refused(
      quantized(tuple({scheme, real(1.0)})),
      "quantizer must be affine, per tensor or per channel: the value at byte 142 "
      "is not");
  expect_tensor_refused(quantized(tuple({scheme, real(1.0), real(1e300)})),
                        "zero points must have 32 bits: one is 1e+300");
  expect_tensor_refused(quantized(tuple({scheme, kNone, integer(0)})),
                        "quantizer must hold numbers: the value at byte 0 is none");
  const std::string two = tensor(storage("DoubleStorage", "0", 3), 0, {2}, {1});
  expect_tensor_refused(quantized(tuple({channel, two, two, integer(1)})),
                        "quantizer must have 3 scales and zero points: it has 2 and 2");
  expect_tensor_refused(quantized(tuple({channel, two, two, integer(2)})),
                        "quantizer's axis must be one of shape [2,3]: it is 2");
  expect_tensor_refused(quantized(tuple({channel, quantized(kNone), two, integer(0)})),
                        "quantizer must hold numbers: the value at byte 235 is none");
  expect_tensor_refused(
      quantized(tuple({channel, tensor(six_floats(), 0, {2}, {1}), two, integer(0)})),
      "quantizer's tensors must be of float64 and int64: the one at byte 259 is not");
}

TEST(HostileTensors, NoStateDict) {
  const std::string rule =
      "must hold a dict of named tensors: there is none; save model.state_dict()";
  const std::string one = tensor(six_floats(), 0, {6}, {1});
  for (const std::string& object :
       {kNone, list({}), dict({string("epoch"), integer(3)}), one, list({one, one}),
        // In the optimizer's state alone.
        dict({string("optimizer"), dict({string("state"), one})})}) {
    expect_refused(test::torch_zip(pickle_of(object), {{"0", std::string(24, '\1')}}), rule);
  }
}

TEST(HostileTensors, Names) {
  const std::string one = tensor(six_floats(), 0, {6}, {1});
  expect_refused(test::torch_zip(pickle_of(dict({string("a"), one, string("a"), one})),
                                 {{"0", std::string(24, '\1')}}),
                 "names must differ: \"a\" comes twice");
  expect_refused(test::torch_zip(pickle_of(dict({string("a"), tuple({one}), string("a.0"), one})),
                                 {{"0", std::string(24, '\1')}}),
                 "names must differ: \"a.0\" comes twice");
}

// A long key before a tuple of a thousand times the same tensor: a name for each.
TEST(HostileTensors, NamesThatOutgrowTheFile) {
  std::string items = tensor(six_floats(), 0, {6}, {1}) + "q\1";
  for (int i = 0; i < 1000; ++i) {
    items += "h\1";
  }
  const std::string object =
      pickle_of(dict({string(std::string(5000, 'k')), tuple({items}), string("b"), "h\1"}));
  expect_refused(test::torch_zip(object, {{"0", std::string(24, '\1')}}),
                 text("names and texts must take at most 8 times the pickle's ", object.size(),
                      " bytes: they take more"));
}

// Dicts in dicts, each twice in the one before: 2^200 ways through them.
TEST(HostileTensors, SharedDictsAreLookedAtOnce) {
  std::string object = "}q" + std::string(1, '\0');
  for (int level = 1; level < 200; ++level) {
    const std::string before = std::string("h") + static_cast<char>(level - 1);
    object = object + "0";
    object.pop_back();
    object += "}(" + string("model") + before + string("state_dict") + before + "uq" +
              static_cast<char>(level) + '\x86';
  }
  expect_refused(test::torch_zip(pickle_of(object), {}),
                 "must hold a dict of named tensors: there is none; save model.state_dict()");
}

TEST(HostileTensors, DictsAroundTheStateDict) {
  const auto nested = [](int levels) {
    std::string object = dict({string("a"), tensor(six_floats(), 0, {6}, {1})});
    for (int level = 0; level < levels; ++level) {
      object = dict({string("model"), object});
    }
    return test::torch_zip(pickle_of(object), {{"0", std::string(24, '\1')}});
  };
  std::vector<std::uint8_t> bytes;
  EXPECT_EQ(read(nested(8), bytes).tensors.size(), 1u);
  expect_refused(nested(9),
                 "must hold a dict of named tensors: there is none; save model.state_dict()");
}

TEST(HostileTensors, LongTextsBecomeNoMetadata) {
  const auto with = [](std::size_t length) {
    const std::string state = dict({string("a"), tensor(six_floats(), 0, {6}, {1})});
    return test::torch_zip(pickle_of(dict({string("note"), string(std::string(length, 'n')),
                                           string("state_dict"), state})),
                           {{"0", std::string(24, '\1')}});
  };
  std::vector<std::uint8_t> bytes;
  EXPECT_EQ(read(with(1 << 20), bytes).metadata.at("torch.note").size(), 1u << 20);
  const Archive archive = read(with((1 << 20) + 1), bytes);
  EXPECT_TRUE(archive.metadata.empty());
  EXPECT_EQ(archive.remarks,
            (std::vector<std::string>{"tensors are those of \"state_dict\"",
                                      "left out, not being tensors of the network: \"note\""}));
}

// What lies beyond is not looked at.
TEST(HostileTensors, PicklesBeyondTheCap) {
  const std::string object =
      pickle_of(string(std::string(1 << 24, 'a')) + "q\1" + string(std::string(1 << 24, 'b')) +
                "q\2\x86" + string(std::string(1 << 24, 'c')) + "\x86" +
                string(std::string((1 << 24) - 30, 'd')) + "\x86NNNNNN");
  EXPECT_GT(object.size(), std::size_t{1} << 26);
  expect_refused(test::torch_zip(object, {}),
                 "data.pkl: pickle must have at most 67108864 bytes: byte 67108864 needs 1 more");
}

TEST(HostileTensors, OtherFiles) {
  expect_refused(test::zip_of({{.name = "a/model.json", .content = "{}"}}),
                 "is a zip archive, but not one of torch.save: it holds no FOLDER/data.pkl");
  expect_refused(test::zip_of({{.name = "a/data.pkl", .content = "N."},
                               {.name = "a/constants.pkl", .content = "N."}}),
                 "is a TorchScript program, not a state dict: load it with torch.jit.load and save "
                 "its tensors: torch.save(model.state_dict(), path)");
  expect_refused(test::zip_of({{.name = "a/data.pkl", .content = "N."},
                               {.name = "a/byteorder", .content = "big"}}),
                 "must have been written on a little-endian machine: it was not");
  expect_refused(std::string(257, '\0') + "ustar" + std::string(300, '\0'),
                 "is a tar archive, as PyTorch 0.1 wrote: load it with PyTorch and save it again");
}

TEST(HostileTensors, Metadata) {
  const auto with = [](const std::string& metadata) {
    return test::zip_of(
        {{.name = "a/data.pkl",
          .content = pickle_of(dict({string("a"), tensor(six_floats(), 0, {}, {})}))},
         {.name = "a/data/0", .content = std::string(24, '\1')},
         {.name = "a/lamina_metadata.pkl", .content = metadata}});
  };
  std::vector<std::uint8_t> bytes;
  EXPECT_EQ(read(with(pickle_of(dict({string("k"), string("v")}))), bytes).metadata,
            (std::map<std::string, std::string>{{"k", "v"}}));
  expect_refused(with(pickle_of(dict({string("k"), kNone}))),
                 "metadata must be a dict of texts: it is not");
  expect_refused(
      with(pickle_of(dict({string("k"), string(std::string(1000, 'v')) + "q\1", string("l"), "h\1",
                           string("m"), "h\1", string("n"), "h\1", string("o"), "h\1"}))),
      "metadata must not repeat its texts: it does");
}

}  // namespace
}  // namespace lamina
