#include "data/preprocessing.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "tests/support/expect_error.h"
#include "tests/support/npy.h"
#include "tests/support/samples.h"
#include "tests/support/shared_data.h"

namespace lamina::test {
namespace {

using data::Image;
using data::Metadata;
using data::Preprocessing;

const Preprocessing kHalf = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}};

TEST(Preprocessing, IsStoredAsText) {
  Metadata metadata = {{"arch", "mobilenet_v2"}};
  data::store(Preprocessing{}, metadata);
  EXPECT_EQ(metadata, (Metadata{{"arch", "mobilenet_v2"},
                                {"resize", "256"},
                                {"resolution", "224"},
                                {"interpolation", "bilinear_antialias"},
                                {"mean", "0.485,0.456,0.406"},
                                {"std", "0.229,0.224,0.225"},
                                {"channel_order", "rgb"}}));
  EXPECT_EQ(data::read_preprocessing(metadata), Preprocessing{});
}

TEST(Preprocessing, RoundTripsEveryField) {
  const Preprocessing odd = {.resize = 8192,
                             .crop = 1,
                             .filter = data::Filter::bicubic,
                             .mean = {-1.0f / 3, 1e-30f, 0.1f},
                             .std = {3.4e38f, 1.17549435e-38f, 0.333333343f},
                             .channel_order = data::ChannelOrder::bgr};
  Metadata metadata;
  data::store(odd, metadata);
  EXPECT_EQ(data::read_preprocessing(metadata), odd);
}

TEST(Preprocessing, AcceptsInterpolationsByEitherName) {
  Metadata metadata;
  data::store(Preprocessing{}, metadata);
  for (const auto& [name, filter] : {std::pair("bilinear", data::Filter::bilinear),
                                     {"bilinear_antialias", data::Filter::bilinear},
                                     {"bicubic", data::Filter::bicubic},
                                     {"bicubic_antialias", data::Filter::bicubic}}) {
    metadata["interpolation"] = name;
    EXPECT_EQ(data::read_preprocessing(metadata)->filter, filter) << name;
  }
}

TEST(Preprocessing, IsAbsentWhenAllKeysAre) {
  EXPECT_EQ(data::read_preprocessing({{"arch", "mobilenet_v2"}}), std::nullopt);
}

TEST(Preprocessing, AllKeysMustBeThereOrNone) {
  Metadata all;
  data::store(Preprocessing{}, all);
  for (const auto& [key, value] : all) {
    Metadata metadata = all;
    metadata.erase(key);
    expect_error([&] { data::read_preprocessing(metadata); },
                 "read_preprocessing: resize, resolution, interpolation, mean, std and "
                 "channel_order must be there all or none: there is no " +
                     key);
  }
}

TEST(Preprocessing, MalformedKeysAreErrors) {
  const auto expect_key_error = [](const std::string& key, const std::string& value,
                                   const std::string& rule) {
    Metadata metadata;
    data::store(Preprocessing{}, metadata);
    metadata[key] = value;
    expect_error([&] { data::read_preprocessing(metadata); },
                 "read_preprocessing: " + key + " must be " + rule + ": \"" + value + "\"");
  };
  for (const char* value :
       {"", "0", "-1", "256px", "8193", "99999999999999999999999", " 1", "1.5"}) {
    expect_key_error("resize", value, "a whole number from 1 to 8192");
  }
  expect_key_error("resolution", "0", "a whole number from 1 to 8192");
  expect_key_error("interpolation", "lanczos", "bilinear_antialias or bicubic_antialias");
  for (const char* value :
       {"", "0.5", "0,0", "0,0,", "0,0,0,0", "0,0,x", "nan,0,0", "0,inf,0", "1e99,0,0"}) {
    expect_key_error("mean", value, "three numbers");
  }
  for (const char* value : {"1,1,0", "1,-1,1", "1,1,nan"}) {
    expect_key_error("std", value, "three positive numbers");
  }
  expect_key_error("channel_order", "RGB", "rgb or bgr");
  Metadata metadata;
  data::store({.resize = 200, .crop = 224}, metadata);
  expect_error([&] { data::read_preprocessing(metadata); },
               "read_preprocessing: resolution must be at most resize: 224 of 200");
}

TEST(Preprocessing, CropsWhatTheWholeResizeGives) {
  const Image picture = sample_picture(61, 83);
  const Preprocessing preprocessing = {.resize = 40, .crop = 33, .filter = data::Filter::bicubic};
  const Image whole = data::resize_shorter_side(picture, 40, data::Filter::bicubic);
  EXPECT_EQ(data::resize_and_crop(picture, preprocessing).pixels,
            data::center_crop(whole, 33, 33).pixels);
}

TEST(Preprocessing, OfAThreadOfPixelsTakesNoMemory) {
  const Image thread{1, 1'000'000, Bytes(3'000'000, 77)};
  const Image cropped = data::resize_and_crop(thread, {});
  EXPECT_EQ(cropped.pixels, Bytes(224 * 224 * 3, 77));
}

TEST(Normalize, IsTheFormulaInTheOrderAsked) {
  const std::vector<Image> images = {{1, 2, {0, 128, 255, 10, 20, 30}}, {1, 2, {1, 2, 3, 4, 5, 6}}};
  Preprocessing preprocessing;
  const Tensor rgb = data::normalize(images, preprocessing);
  preprocessing.channel_order = data::ChannelOrder::bgr;
  const Tensor bgr = data::normalize(images, preprocessing);
  ASSERT_EQ(rgb.shape(), (Shape{2, 1, 2, 3}));
  for (std::size_t i = 0; i < 12; ++i) {
    const std::size_t c = i % 3;
    const double x = images[i / 6].pixels[i % 6] / 255.0;
    const double want = (x - double{preprocessing.mean[c]}) / double{preprocessing.std[c]};
    EXPECT_NEAR(rgb.values()[i], want, 1e-6);
    EXPECT_EQ(bgr.values()[i - c + 2 - c], rgb.values()[i]);
  }
}

TEST(Normalize, Errors) {
  expect_error([] { data::normalize({}, {}); },
               "normalize: there must be a picture: the list is empty");
  const std::vector<Image> images = {sample_picture(2, 3), sample_picture(3, 2)};
  expect_error([&] { data::normalize(images, {}); },
               "normalize: pictures must have one size: 2 x 3 and 3 x 2");
  const std::vector<Image> broken = {{2, 2, Bytes(5)}};
  expect_error([&] { data::normalize(broken, {}); },
               "normalize: the picture must have 3 values a pixel: 2 x 2 with 5 values");
  expect_error([] { data::preprocess(sample_picture(5, 5), {.resize = 20, .crop = 21}); },
               "center_crop: the picture must be at least as large as the crop: 20 x 20 for a crop "
               "of 21 x 21");
}

/// The value of each "file" in photos16.json, in order.
std::vector<std::string> photo_names() {
  std::ifstream file(shared_data() / "imagenet/photos16.json");
  const std::string json{std::istreambuf_iterator<char>(file), {}};
  const std::string key = "\"file\": \"";
  std::vector<std::string> names;
  for (std::size_t at = json.find(key); at != std::string::npos; at = json.find(key, at)) {
    at += key.size();
    names.push_back(json.substr(at, json.find('"', at) - at));
  }
  return names;
}

TEST(ReferencePhotos, DecodeAndCropToTheSameBytes) {
  LAMINA_NEEDS_SHARED_DATA();
  const NpyArray want = read_npy(shared_data() / "imagenet/photos16_u8_nhwc.npy");
  const std::vector<std::string> names = photo_names();
  ASSERT_EQ(names.size(), 16u);
  const std::size_t size = 224 * 224 * 3;
  std::size_t compared = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto path = shared_data() / "imagenet/photos" / names[i];
    if (!std::filesystem::exists(path)) {
      continue;
    }
    const Image image = data::resize_and_crop(data::read_image(path), kHalf);
    const auto row = want.values.begin() + static_cast<std::ptrdiff_t>(i * size);
    EXPECT_TRUE(std::equal(image.pixels.begin(), image.pixels.end(), row)) << names[i];
    ++compared;
  }
  EXPECT_GE(compared, 4u);
}

TEST(ReferencePhotos, NormalizeToTheSameFloats) {
  LAMINA_NEEDS_SHARED_DATA();
  const NpyArray bytes = read_npy(shared_data() / "imagenet/photos16_u8_nhwc.npy");
  const NpyArray want = read_npy(shared_data() / "imagenet/photos16_input_f32.npy");
  ASSERT_EQ(want.shape, (std::vector<std::size_t>{16, 3, 224, 224}));
  constexpr std::size_t kPixels = 224 * 224;
  std::vector<Image> images(16, {224, 224, {}});
  for (std::size_t i = 0; i < bytes.values.size(); ++i) {
    images[i / (kPixels * 3)].pixels.push_back(static_cast<std::uint8_t>(bytes.values[i]));
  }
  const Tensor x = data::normalize(images, kHalf);
  std::size_t differing = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t image = i / (kPixels * 3), pixel = i / 3 % kPixels, channel = i % 3;
    differing +=
        x.values()[i] != static_cast<float>(want.values[(image * 3 + channel) * kPixels + pixel]);
  }
  EXPECT_EQ(differing, 0u);
}

}  // namespace
}  // namespace lamina::test
