#include "data/mix.h"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "tests/support/expect_error.h"

namespace lamina::test {
namespace {

using data::Mix;
using data::Region;

/// Pictures of 4 x 5 x 3, each value its own.
Tensor batch_of(std::size_t count) {
  Tensor images = Tensor::uninitialized({count, 4, 5, 3});
  for (std::size_t i = 0; i < images.size(); ++i) {
    images.values()[i] = static_cast<float>(i);
  }
  return images;
}

float at(const Tensor& x, std::size_t image, std::size_t i) { return x.data()[image * 60 + i]; }

TEST(MixUp, IsTheSumWithThePictureBefore) {
  const Tensor before = batch_of(3);
  Tensor images = before.clone();
  data::mix_up(images, 0.75f);
  for (std::size_t n = 0; n < 3; ++n) {
    for (std::size_t i = 0; i < 60; ++i) {
      EXPECT_FLOAT_EQ(at(images, n, i),
                      0.75f * at(before, n, i) + 0.25f * at(before, (n + 2) % 3, i));
    }
  }
}

TEST(CutMix, TakesTheRegionOfThePictureBefore) {
  const Tensor before = batch_of(3);
  Tensor images = before.clone();
  data::cut_mix(images, {1, 2, 3, 2});
  for (std::size_t n = 0; n < 3; ++n) {
    for (std::size_t i = 0; i < 60; ++i) {
      const std::size_t y = i / 15, x = i / 3 % 5;
      const bool inside = y >= 1 && y < 4 && x >= 2 && x < 4;
      EXPECT_EQ(at(images, n, i), at(before, inside ? (n + 2) % 3 : n, i));
    }
  }
  Tensor same = before.clone();
  data::cut_mix(same, {4, 5, 0, 0});
  EXPECT_EQ(at(same, 1, 7), at(before, 1, 7));
}

TEST(MixBatch, TargetsAreTheSharesOfThePictures) {
  const std::vector<std::uint32_t> labels = {2, 0, 0, 1};
  int mixups = 0, cuts = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Tensor before = batch_of(4);
    Tensor images = before.clone();
    Rng rng(seed);
    const Tensor targets = data::mix_batch({.mixup = 1.0f, .cutmix = 1.0f}, images, labels, 3, rng);
    ASSERT_EQ(targets.shape(), (Shape{4, 3}));
    const float share = targets.data()[0 * 3 + 2];  // label 2, that before it 1
    EXPECT_NEAR(targets.data()[0 * 3 + 1], 1.0f - share, 1e-6f);
    EXPECT_EQ(targets.data()[0 * 3 + 0], 0.0f);
    EXPECT_NEAR(targets.data()[2 * 3 + 0], 1.0f, 1e-6f);  // both 0
    EXPECT_NEAR(targets.data()[3 * 3 + 1], share, 1e-6f);
    std::size_t kept = 0, taken = 0;
    for (std::size_t i = 0; i < 60; ++i) {
      kept += at(images, 1, i) == at(before, 1, i) ? 1 : 0;
      taken += at(images, 1, i) == at(before, 0, i) ? 1 : 0;
    }
    if (kept + taken == 60) {
      EXPECT_NEAR(static_cast<float>(kept) / 60.0f, share, 1e-6f);
      ++cuts;
    } else {
      EXPECT_NEAR(at(images, 1, 0), share * 60.0f, 1e-4f);
      ++mixups;
    }
  }
  EXPECT_NEAR(mixups, 200, 50);
  EXPECT_NEAR(cuts, 200, 50);
}

TEST(MixBatch, MixesAsOftenAsAsked) {
  const std::vector<std::uint32_t> labels = {0, 1};
  Rng rng(1);
  int mixed = 0;
  for (int i = 0; i < 2000; ++i) {
    const Tensor before = batch_of(2);
    Tensor images = before.clone();
    const Tensor targets =
        data::mix_batch({.mixup = 1.0f, .probability = 0.3f}, images, labels, 2, rng);
    mixed += targets.empty() ? 0 : 1;
    if (targets.empty()) {
      EXPECT_EQ(at(images, 1, 3), at(before, 1, 3));
    }
  }
  EXPECT_NEAR(mixed, 600, 5 * std::sqrt(2000 * 0.21));
}

TEST(DrawBeta, SmallAlphasAreNextToACoin) {
  Rng rng(1);
  double sum = 0.0;
  for (int i = 0; i < 1000; ++i) {
    const double lambda = data::draw_beta(1e-4, rng);
    EXPECT_TRUE(lambda < 1e-3 || lambda > 1.0 - 1e-3) << lambda;
    sum += lambda;
  }
  EXPECT_NEAR(sum, 500, 80);
}

TEST(DrawCutmix, StaysInsideForAnyLambda) {
  Rng rng(1);
  for (const double lambda : {0.0, 0.3, 0.99, 1.0}) {
    for (int i = 0; i < 500; ++i) {
      const Region region = data::draw_cutmix(lambda, {7, 9}, rng);
      EXPECT_LE(region.top + region.height, 7u);
      EXPECT_LE(region.left + region.width, 9u);
      EXPECT_TRUE(lambda < 1.0 || region.height * region.width == 0);
    }
  }
}

TEST(Mix, IsDescribedInALine) {
  EXPECT_EQ(data::describe(Mix{}), "none");
  EXPECT_EQ(data::describe(Mix{.mixup = 0.2f, .probability = 0.0f}), "none");
  EXPECT_EQ(data::describe(Mix{.mixup = 0.2f, .cutmix = 1.0f, .probability = 0.5f}),
            "mixup 0.2; cutmix 1; probability 0.5");
}

TEST(Mix, Errors) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  expect_error([] { data::check_mix({.mixup = -1.0f}); }, "Mix: mixup must be at least 0: -1");
  expect_error([] { data::check_mix({.cutmix = kNan}); }, "Mix: cutmix must be at least 0: nan");
  expect_error([] { data::check_mix({.probability = 1.1f}); },
               "Mix: probability must be from 0 to 1: 1.1");
  Tensor flat = Tensor::zeros({3, 4}), images = batch_of(2);
  Rng rng(1);
  const std::array<std::uint32_t, 2> labels = {0, 3};
  expect_error([&] { data::mix_up(flat, 0.5f); }, "mix_up: images must be [N, H, W, C]: [3, 4]");
  expect_error(
      [&] {
        data::cut_mix(images, {3, 0, 2, 1});
      },
      "cut_mix: the region must lie in the pictures: 2 x 1 pixels at (3, 0) of 4 x 5");
  expect_error(
      [&] {
        data::mix_batch({.mixup = 1.0f}, images, {labels.data(), 1}, 4, rng);
      },
      "mix_batch: there must be a label for each picture: 2 pictures, 1 labels");
  expect_error([&] { data::mix_batch({.mixup = 1.0f}, images, labels, 3, rng); },
               "mix_batch: labels must be below the number of classes: 3 of 3");
}

}  // namespace
}  // namespace lamina::test
