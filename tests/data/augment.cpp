#include "data/augment.h"

#include <gtest/gtest.h>
#include <limits>
#include <set>

#include "tests/support/expect_error.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

using data::Augmentation;
using data::Image;
using data::Region;

void expect_inside(const Region& region, const data::Size& size) {
  EXPECT_GE(region.height, 1u);
  EXPECT_GE(region.width, 1u);
  EXPECT_LE(region.top + region.height, size.height);
  EXPECT_LE(region.left + region.width, size.width);
}

TEST(DrawCrop, StaysInsideOfAnyPicture) {
  Rng rng(2);
  for (const std::size_t height : {1u, 2u, 3u, 17u, 1000u}) {
    for (const std::size_t width : {1u, 2u, 5u, 28u, 4000u}) {
      for (int i = 0; i < 200; ++i) {
        expect_inside(data::draw_crop({}, {height, width}, rng), {height, width});
      }
    }
  }
}

TEST(DrawCrop, OfTheWholeAreaIsTheLargestInTheMiddle) {
  Rng rng(3);
  const data::RandomResizedCrop whole{.min_scale = 1.0f};
  const Region wide = data::draw_crop(whole, {30, 100}, rng);  // 30 * 4 / 3 = 40
  EXPECT_EQ((std::array{wide.top, wide.left, wide.height, wide.width}),
            (std::array<std::size_t, 4>{0, 30, 30, 40}));
  const Region high = data::draw_crop(whole, {101, 30}, rng);  // 30 * 4 / 3 = 40
  EXPECT_EQ((std::array{high.top, high.left, high.height, high.width}),
            (std::array<std::size_t, 4>{30, 0, 40, 30}));
}

TEST(DrawCrop, RatioIsWidthToHeight) {
  Rng rng(4);
  const data::RandomResizedCrop wide{.max_scale = 0.2f, .min_ratio = 2.0f, .max_ratio = 3.0f};
  for (int i = 0; i < 500; ++i) {
    const Region region = data::draw_crop(wide, {1000, 1000}, rng);
    const double ratio = static_cast<double>(region.width) / static_cast<double>(region.height);
    EXPECT_GE(ratio, 1.98);
    EXPECT_LE(ratio, 3.03);
  }
}

TEST(DrawErasing, RatioIsHeightToWidth) {
  Rng rng(4);
  const data::RandomErasing high{
      .probability = 1.0f, .max_scale = 0.2f, .min_ratio = 2.0f, .max_ratio = 3.0f};
  for (int i = 0; i < 500; ++i) {
    const Region region = data::draw_erasing(high, {1000, 1000}, rng).value();
    const double ratio = static_cast<double>(region.height) / static_cast<double>(region.width);
    EXPECT_GE(ratio, 1.98);
    EXPECT_LE(ratio, 3.03);
  }
}

TEST(DrawErasing, StaysInsideAndLeavesSomething) {
  Rng rng(2);
  for (const std::size_t side : {2u, 3u, 28u, 224u}) {
    int erased = 0;
    for (int i = 0; i < 500; ++i) {
      if (const auto region = data::draw_erasing({.probability = 1.0f}, {side, side + 1}, rng)) {
        expect_inside(*region, {side, side + 1});
        EXPECT_LT(region->height, side);
        EXPECT_LT(region->width, side + 1);
        ++erased;
      }
    }
    EXPECT_GT(erased, 0) << side;
  }
  EXPECT_EQ(data::draw_erasing({.probability = 1.0f}, {1, 1}, rng), std::nullopt);
  EXPECT_EQ(data::draw_erasing({.probability = 0.0f}, {28, 28}, rng), std::nullopt);
}

TEST(Colors, KnownValues) {
  Image image{1, 2, {10, 100, 200, 0, 255, 128}};
  data::change_brightness(image, 1.5f);
  EXPECT_EQ(image.pixels, (Bytes{15, 150, 255, 0, 255, 192}));
  image.pixels = {255, 0, 0, 10, 20, 30};
  data::turn_hue(image, 1.0f / 3.0f);
  EXPECT_EQ(image.pixels, (Bytes{0, 255, 0, 30, 10, 20}));
  image.pixels = {100, 100, 100, 50, 50, 50};
  data::change_saturation(image, 2.0f);
  EXPECT_EQ(image.pixels, (Bytes{100, 100, 100, 50, 50, 50}));
  data::change_contrast(image, 0.0f);
  EXPECT_EQ(image.pixels, Bytes(6, 75));
}

TEST(Colors, TurningByNothingOrTheWholeCircleChangesNothing) {
  for (const float turn : {0.0f, 1.0f, -1.0f}) {
    Image image = sample_picture(40, 40);
    data::turn_hue(image, turn);
    EXPECT_EQ(image.pixels, sample_picture(40, 40).pixels) << turn;
  }
}

TEST(JitterColors, FactorsStayInRange) {
  Rng rng(8);
  std::set<std::uint8_t> seen;
  for (int i = 0; i < 2000; ++i) {
    Image gray{1, 1, {100, 100, 100}};
    data::jitter_colors(gray, {.brightness = 0.2f}, rng);
    seen.insert(gray.pixels[0]);
  }
  EXPECT_GE(*seen.begin(), 79);
  EXPECT_LE(*seen.rbegin(), 120);
  EXPECT_GE(seen.size(), 39u);
}

TEST(JitterColors, AppliesTheFactorsInEitherOrder) {
  const Image image{1, 2, {200, 30, 90, 10, 250, 40}};
  int brightness_first = 0, contrast_first = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Rng rng(seed), same(seed);
    Image changed = image;
    data::jitter_colors(changed, {.brightness = 0.9f, .contrast = 0.9f}, rng);
    for (const std::size_t left : {4u, 3u, 2u}) {
      same.below(left);
    }
    const float brightness = same.uniform(1.0f - 0.9f, 1.9f);
    const float contrast = same.uniform(1.0f - 0.9f, 1.9f);
    Image one = image, other = image;
    data::change_brightness(one, brightness);
    data::change_contrast(one, contrast);
    data::change_contrast(other, contrast);
    data::change_brightness(other, brightness);
    ASSERT_TRUE(changed.pixels == one.pixels || changed.pixels == other.pixels);
    brightness_first += changed.pixels != other.pixels ? 1 : 0;
    contrast_first += changed.pixels != one.pixels ? 1 : 0;
  }
  EXPECT_GT(brightness_first, 400);
  EXPECT_GT(contrast_first, 400);
}

TEST(Augmentation, IsDescribedInALine) {
  EXPECT_EQ(data::describe(Augmentation{}), "none");
  EXPECT_EQ(data::describe(Augmentation{.crop = data::RandomResizedCrop{},
                                        .jitter = {.brightness = 0.4f, .hue = 0.1f},
                                        .flip = 0.5f,
                                        .shift = 4,
                                        .shift_fill = data::Fill::mean,
                                        .erasing = {.probability = 0.25f}}),
            "crop 0.08 to 1 of the area, ratio 0.75 to 1.33333; brightness 0.4, contrast 0, "
            "saturation 0, hue 0.1; flip 0.5; shift 4, filled by mean; erasing 0.25 of 0.02 to "
            "0.33 of the area, ratio 0.3 to 3.3, by mean");
}

TEST(Augmentation, FieldsOutOfRangeAreErrors) {
  const auto expect_refused = [](const Augmentation& augmentation, const std::string& message) {
    expect_error([&] { data::check_augmentation(augmentation); }, "Augmentation: " + message);
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  using Crop = data::RandomResizedCrop;
  expect_refused({.crop = Crop{.min_scale = 0.0f}},
                 "crop scale must be a positive range up to 1: 0 to 1");
  expect_refused({.crop = Crop{.min_scale = 0.5f, .max_scale = 0.4f}},
                 "crop scale must be a positive range up to 1: 0.5 to 0.4");
  expect_refused({.crop = Crop{.max_scale = 1.5f}},
                 "crop scale must be a positive range up to 1: 0.08 to 1.5");
  expect_refused({.crop = Crop{.min_ratio = -1.0f}},
                 "crop ratio must be a positive range: -1 to 1.33333");
  expect_refused({.crop = Crop{.max_ratio = kInfinity}},
                 "crop ratio must be a positive range: 0.75 to inf");
  expect_refused({.jitter = {.brightness = -0.1f}}, "brightness must be at least 0: -0.1");
  expect_refused({.jitter = {.contrast = kNan}}, "contrast must be at least 0: nan");
  expect_refused({.jitter = {.saturation = kInfinity}}, "saturation must be at least 0: inf");
  expect_refused({.jitter = {.hue = 0.6f}}, "hue must be from 0 to 0.5: 0.6");
  expect_refused({.flip = kNan}, "flip must be a probability, 0 to 1: nan");
  expect_refused({.trivial = 1.5f}, "trivial must be a probability, 0 to 1: 1.5");
  expect_refused({.shift_fill = data::Fill::noise}, "shift fill must be black or mean: noise");
  expect_refused({.erasing = {.probability = 2.0f}},
                 "erasing probability must be a probability, 0 to 1: 2");
  expect_refused({.erasing = {.max_scale = 2.0f}},
                 "erasing scale must be a positive range up to 1: 0.02 to 2");
  expect_refused({.erasing = {.min_ratio = 4.0f}},
                 "erasing ratio must be a positive range: 4 to 3.3");
}

}  // namespace
}  // namespace lamina::test
