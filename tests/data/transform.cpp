#include "data/transform.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "data/keyed_rng.h"
#include "data/trivial_augment.h"
#include "tests/support/expect_error.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

using data::Augmentation;
using data::Image;
using data::Preprocessing;

// A pixel becomes its byte / 255.
const Preprocessing kBytes = {
    .resize = 8, .crop = 8, .mean = {0.0f, 0.0f, 0.0f}, .std = {1.0f, 1.0f, 1.0f}};

std::vector<float> transformed(Image image, const Preprocessing& preprocessing,
                               const Augmentation& augmentation = {}, std::uint64_t seed = 1) {
  const data::Transform transform(preprocessing, augmentation);
  std::vector<float> values(transform.size(), -7.0f);
  Rng rng(seed);
  transform(image, rng, values);
  return values;
}

/// The byte of pixel (y, x), or -1 for one that a transform filled with the mean color.
int byte_at(const std::vector<float>& values, std::size_t y, std::size_t x, std::size_t c) {
  return static_cast<int>(std::lround(values[(y * 8 + x) * 3 + c] * 255.0f));
}

/// True when the values are the picture's pixels, `down` and `right` away, then mirrored; `padding`
/// where there are none.
struct Expected {
  int down = 0, right = 0;
  bool mirrored = false;
  int padding = 0;
};
bool is(const std::vector<float>& values, const Image& image, const Expected& expected) {
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) {
      const int from_y = y + expected.down;
      const int from_x = (expected.mirrored ? 7 - x : x) + expected.right;
      const bool inside = from_y >= 0 && from_y < 8 && from_x >= 0 && from_x < 8;
      for (int c = 0; c < 3; ++c) {
        const int want = inside
                             ? image.pixels[static_cast<std::size_t>((from_y * 8 + from_x) * 3 + c)]
                             : expected.padding;
        if (byte_at(values, static_cast<std::size_t>(y), static_cast<std::size_t>(x),
                    static_cast<std::size_t>(c)) != want) {
          return false;
        }
      }
    }
  }
  return true;
}

TEST(Transform, WithoutAugmentationIsPreprocessing) {
  for (const auto& [height, width] : {std::pair(28u, 28u), {45u, 31u}, {9u, 70u}}) {
    for (const std::size_t crop : {28u, 20u}) {
      const Image image = sample_picture(height, width);
      for (const auto order : {data::ChannelOrder::rgb, data::ChannelOrder::bgr}) {
        const Preprocessing preprocessing = {.resize = 28, .crop = crop, .channel_order = order};
        const Tensor want = data::preprocess(image, preprocessing);
        const std::vector<float> got = transformed(image, preprocessing);
        EXPECT_TRUE(std::ranges::equal(got, want.values())) << height << " x " << width;
      }
    }
  }
}

TEST(Transform, FlipsAsOftenAsAsked) {
  const Image image = sample_picture(8, 8);
  constexpr std::uint64_t kRounds = 2000;
  for (const float probability : {0.0f, 0.3f, 1.0f}) {
    double flips = 0;
    for (std::uint64_t seed = 0; seed < kRounds; ++seed) {
      const auto values = transformed(image, kBytes, {.flip = probability}, seed);
      const bool mirrored = is(values, image, {.mirrored = true});
      ASSERT_TRUE(mirrored || is(values, image, {}));
      flips += mirrored ? 1 : 0;
    }
    const double p = double{probability};
    EXPECT_NEAR(flips / kRounds, p, 5 * std::sqrt(p * (1 - p) / kRounds));
  }
}

TEST(Transform, ShiftsEquallyOftenToEachPlace) {
  const Image image = sample_picture(8, 8);
  constexpr std::uint64_t kRounds = 2500;
  std::vector<int> places(25);
  for (std::uint64_t seed = 0; seed < kRounds; ++seed) {
    const auto values = transformed(image, kBytes, {.flip = 0.5f, .shift = 2}, seed);
    int found = 0;
    for (int place = 0; place < 50; ++place) {
      const Expected expected{place / 5 % 5 - 2, place % 5 - 2, place >= 25, 0};
      if (is(values, image, expected)) {
        ++places[static_cast<std::size_t>(place % 25)];
        ++found;
      }
    }
    ASSERT_EQ(found, 1);
  }
  for (const int count : places) {
    EXPECT_NEAR(count, kRounds / 25.0, 5 * std::sqrt(kRounds / 25.0));
  }
}

TEST(Transform, ShiftIsFilledByBlackOrTheMean) {
  const Preprocessing preprocessing = {.resize = 8, .crop = 8};
  const Image white{8, 8, Bytes(8 * 8 * 3, 255)};
  for (const data::Fill fill : {data::Fill::black, data::Fill::mean}) {
    std::size_t filled = 0;
    const auto values = transformed(white, preprocessing, {.shift = 8, .shift_fill = fill}, 3);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float mean = preprocessing.mean[i % 3], std = preprocessing.std[i % 3];
      const float padding = fill == data::Fill::black ? (0.0f - mean) / std : 0.0f;
      EXPECT_TRUE(values[i] == padding || values[i] == (1.0f - mean) / std);
      filled += values[i] == padding ? 1 : 0;
    }
    EXPECT_GT(filled, 0u);
    EXPECT_EQ(filled % 3, 0u);
  }
}

TEST(Transform, ErasesTheRegionThatIsDrawn) {
  const Image image = sample_picture(28, 28);
  const Preprocessing preprocessing = {.resize = 28, .crop = 28};
  const auto whole = transformed(image, preprocessing);
  for (const data::Fill fill : {data::Fill::black, data::Fill::mean, data::Fill::noise}) {
    const data::RandomErasing erasing{.probability = 1.0f, .fill = fill};
    Rng rng(9);
    const data::Region region = data::draw_erasing(erasing, {28, 28}, rng).value();
    const auto values = transformed(image, preprocessing, {.erasing = erasing}, 9);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t y = i / 84, x = i / 3 % 28;
      const bool erased = y >= region.top && y < region.top + region.height && x >= region.left &&
                          x < region.left + region.width;
      const float black = (0.0f - preprocessing.mean[i % 3]) / preprocessing.std[i % 3];
      const float want = !erased                     ? whole[i]
                         : fill == data::Fill::black ? black
                         : fill == data::Fill::mean  ? 0.0f
                                                     : rng.normal();
      ASSERT_EQ(values[i], want) << y << ", " << x;
    }
  }
}

TEST(Transform, JittersBeforeNormalization) {
  const Image image = sample_picture(8, 8);
  const data::ColorJitter jitter{
      .brightness = 0.4f, .contrast = 0.3f, .saturation = 0.9f, .hue = 0.2f};
  Image changed = image;
  Rng rng(4);
  data::jitter_colors(changed, jitter, rng);
  EXPECT_NE(changed.pixels, image.pixels);
  EXPECT_TRUE(is(transformed(image, kBytes, {.jitter = jitter}, 4), changed, {}));
}

TEST(Transform, ChangesOneThingMoreAsOftenAsAsked) {
  const Image image = sample_picture(8, 8);
  int changed = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Rng rng(seed);
    Image expected = image;
    if (rng.uniform() < 0.5f) {
      data::trivial_augment(expected, rng);
      ++changed;
    }
    const auto values = transformed(image, kBytes, {.trivial = 0.5f}, seed);
    ASSERT_TRUE(is(values, expected, {})) << seed;
  }
  EXPECT_GT(changed, 150);
  EXPECT_LT(changed, 250);
}

TEST(TrivialAugment, Errors) {
  Image empty;
  expect_error([&] { data::equalize(empty); }, "equalize: the picture must not be empty: 0 x 0");
  Image image = sample_picture(8, 8);
  expect_error([&] { data::posterize(image, 0); }, "posterize: bits must be from 1 to 8: 0");
}

TEST(Transform, Errors) {
  const auto expect_refused = [](const Preprocessing& preprocessing,
                                 const Augmentation& augmentation, const std::string& message) {
    expect_error([&] { data::Transform(preprocessing, augmentation); }, message);
  };
  const std::string sides = "Transform: sides must be 1 <= crop <= resize <= 8192: ";
  expect_refused({.resize = 8, .crop = 9}, {}, sides + "crop 9, resize 8");
  expect_refused({.resize = 8, .crop = 0}, {}, sides + "crop 0, resize 8");
  expect_refused({.resize = 8193, .crop = 9}, {}, sides + "crop 9, resize 8193");
  expect_refused({.resize = 8, .crop = 8}, {.shift = 9},
                 "Transform: shift must be at most crop: 9 of 8");
  expect_refused({}, {.flip = 1.5f}, "Augmentation: flip must be a probability, 0 to 1: 1.5");
  const data::Transform transform(kBytes);
  Image image = sample_picture(8, 8), empty;
  std::vector<float> values(191);
  Rng rng(1);
  expect_error([&] { transform(image, rng, values); },
               "Transform: the output must have crop x crop x 3 values: 191 values, 192 needed");
  expect_error([&] { transform(empty, rng, values); },
               "Transform: the picture must not be empty: 0 x 0");
}

TEST(KeyedRng, StreamsDiffer) {
  std::vector<std::uint32_t> first;
  for (const auto purpose : {data::Purpose::augmentation, data::Purpose::shuffling}) {
    for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{1}, data::kMaxEpochs - 1}) {
      for (const std::uint64_t index :
           {std::uint64_t{0}, std::uint64_t{1}, data::kMaxPictures - 1}) {
        for (const std::uint64_t seed : {0u, 1u}) {
          first.push_back(data::keyed_rng(seed, purpose, epoch, index).bits());
          EXPECT_EQ(data::keyed_rng(seed, purpose, epoch, index).bits(), first.back());
        }
      }
    }
  }
  std::ranges::sort(first);
  EXPECT_EQ(std::ranges::adjacent_find(first), first.end());
}

}  // namespace
}  // namespace lamina::test
