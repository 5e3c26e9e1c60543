#include "data/resize.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "tests/support/expect_error.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

using data::Filter;
using data::Image;

double kernel(Filter filter, double x) {
  const double t = std::abs(x);
  if (filter == Filter::bilinear) {
    return std::max(0.0, 1 - t);
  }
  if (t < 1) {
    return 1.5 * t * t * t - 2.5 * t * t + 1;
  }
  return t < 2 ? -0.5 * t * t * t + 2.5 * t * t - 4 * t + 2 : 0;
}

/// One line by the definition: the mean of all inputs, weighted by the filter centerd on the
/// output, weights to the nearest multiple of 2^-22, sums to the nearest byte.
std::vector<double> oracle_line(const std::vector<double>& in, std::size_t size, Filter filter) {
  const double scale = static_cast<double>(in.size()) / static_cast<double>(size);
  const double stretch = std::max(1.0, scale);
  const double unit = std::ldexp(1.0, 22);
  std::vector<double> out;
  for (std::size_t i = 0; i < size; ++i) {
    std::vector<double> weights;
    double total = 0, sum = 0;
    for (std::size_t j = 0; j < in.size(); ++j) {
      const double distance = static_cast<double>(j) + 0.5 - (static_cast<double>(i) + 0.5) * scale;
      weights.push_back(kernel(filter, distance / stretch));
      total += weights.back();
    }
    for (std::size_t j = 0; j < in.size(); ++j) {
      sum += std::round(weights[j] / total * unit) * in[j];
    }
    out.push_back(std::clamp(std::floor(sum / unit + 0.5), 0.0, 255.0));
  }
  return out;
}

Image oracle(const Image& image, std::size_t height, std::size_t width, Filter filter) {
  Image out{height, width, Bytes(height * width * 3)};
  for (std::size_t c = 0; c < 3; ++c) {
    std::vector<std::vector<double>> rows;
    for (std::size_t y = 0; y < image.height; ++y) {
      std::vector<double> row;
      for (std::size_t x = 0; x < image.width; ++x) {
        row.push_back(image.pixels[(y * image.width + x) * 3 + c]);
      }
      rows.push_back(oracle_line(row, width, filter));
    }
    for (std::size_t x = 0; x < width; ++x) {
      std::vector<double> column;
      for (const std::vector<double>& row : rows) {
        column.push_back(row[x]);
      }
      const std::vector<double> result = oracle_line(column, height, filter);
      for (std::size_t y = 0; y < height; ++y) {
        out.pixels[(y * width + x) * 3 + c] = static_cast<std::uint8_t>(result[y]);
      }
    }
  }
  return out;
}

std::uint64_t fnv1a(const Bytes& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint8_t byte : bytes) {
    hash = (hash ^ byte) * 0x100000001b3u;
  }
  return hash;
}

TEST(Resize, IsTheFilterOfItsDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const auto side = [&] { return std::size_t{1} + random() % (round % 4 == 0 ? 4 : 60); };
    const Image image = sample_picture(side(), side());
    const std::size_t height = side(), width = side();
    for (const Filter filter : {Filter::bilinear, Filter::bicubic}) {
      const Image got = data::resize(image, height, width, filter);
      const Image want = oracle(image, height, width, filter);
      EXPECT_EQ(got.pixels, want.pixels) << image.height << " x " << image.width << " to " << height
                                         << " x " << width << " " << data::filter_name(filter);
    }
  }
}

struct Fact {
  std::size_t in_height, in_width, height, width;
  Filter filter;
  std::uint64_t hash;
};

/// FNV-1a of what Pillow 9.4 makes of sample_picture().
TEST(Resize, EqualsPillow) {
  const std::vector<Fact> facts = {
      {37, 53, 16, 21, Filter::bilinear, 0x332300ac8a1715b4u},
      {37, 53, 16, 21, Filter::bicubic, 0x4e3168195af7746fu},
      {37, 53, 80, 97, Filter::bilinear, 0x65f48850c1148798u},
      {37, 53, 80, 97, Filter::bicubic, 0xb9a09f42c95ae7eau},
      {1, 1, 5, 3, Filter::bilinear, 0x6d2edf3cf10ba94eu},
      {1, 1, 5, 3, Filter::bicubic, 0x6d2edf3cf10ba94eu},
      {64, 48, 1, 1, Filter::bilinear, 0xa2b36f196ea75e47u},
      {64, 48, 1, 1, Filter::bicubic, 0xa2b36f196ea75e47u},
      {1, 90, 7, 31, Filter::bilinear, 0xb7cdd55c1ffaef21u},
      {1, 90, 7, 31, Filter::bicubic, 0xaf5e5d2debfb9358u},
      {375, 500, 256, 341, Filter::bilinear, 0x8438d295bf8e00c7u},
      {375, 500, 256, 341, Filter::bicubic, 0x37b792a78b489a46u},
      {50, 40, 50, 13, Filter::bilinear, 0x2e11a2f4b516f87fu},
      {50, 40, 50, 13, Filter::bicubic, 0xd5d1d5cb5a30f8c3u},
      {50, 40, 17, 40, Filter::bilinear, 0x6a0a60d90f55c82cu},
      {50, 40, 17, 40, Filter::bicubic, 0x438f68e16352ed60u},
  };
  for (const Fact& fact : facts) {
    const Image image = sample_picture(fact.in_height, fact.in_width);
    const Image resized = data::resize(image, fact.height, fact.width, fact.filter);
    EXPECT_EQ(resized.height, fact.height);
    EXPECT_EQ(resized.width, fact.width);
    EXPECT_EQ(fnv1a(resized.pixels), fact.hash)
        << fact.in_height << " x " << fact.in_width << " to " << fact.height << " x " << fact.width
        << " " << data::filter_name(fact.filter);
  }
}

TEST(Resize, ToItsOwnSizeIsACopy) {
  const Image image = sample_picture(9, 13);
  EXPECT_EQ(data::resize(image, 9, 13, Filter::bicubic).pixels, image.pixels);
}

TEST(Resize, RegionIsThatPartOfTheWhole) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const auto below = [&](std::size_t limit) { return random() % limit; };
    const Image image = sample_picture(1 + below(50), 1 + below(50));
    const std::size_t height = round % 5 == 0 ? image.height : 1 + below(60);
    const std::size_t width = round % 7 == 0 ? image.width : 1 + below(60);
    const std::size_t top = below(height), left = below(width);
    const data::Region region{top, left, 1 + below(height - top), 1 + below(width - left)};
    const Filter filter = round % 2 == 0 ? Filter::bilinear : Filter::bicubic;
    const Image whole = data::resize(image, height, width, filter);
    const Image part = data::resize_region(image, height, width, filter, region);
    ASSERT_EQ(part.pixels.size(), region.height * region.width * 3);
    for (std::size_t y = 0; y < region.height; ++y) {
      for (std::size_t i = 0; i < region.width * 3; ++i) {
        ASSERT_EQ(part.pixels[y * region.width * 3 + i],
                  whole.pixels[((top + y) * width + left) * 3 + i]);
      }
    }
  }
}

TEST(ResizeShorterSide, RoundsTheLongerSideDown) {
  const auto size = [](std::size_t height, std::size_t width) {
    const Image resized =
        data::resize_shorter_side(sample_picture(height, width), 256, Filter::bilinear);
    return std::pair(resized.height, resized.width);
  };
  EXPECT_EQ(size(375, 500), std::pair(std::size_t{256}, std::size_t{341}));
  EXPECT_EQ(size(500, 375), std::pair(std::size_t{341}, std::size_t{256}));
  EXPECT_EQ(size(10, 10), std::pair(std::size_t{256}, std::size_t{256}));
  EXPECT_EQ(size(3, 1), std::pair(std::size_t{768}, std::size_t{256}));
}

TEST(CenterCrop, RoundsItsOffsetHalfToEven) {
  for (const auto& [side, offset] :
       {std::pair(7u, 0u), {8u, 0u}, {9u, 1u}, {10u, 2u}, {12u, 2u}, {14u, 4u}, {13u, 3u}}) {
    const Image image = sample_picture(side, side + 2);
    const Image crop = data::center_crop(image, 7, side + 2);
    EXPECT_EQ(crop.pixels[0], image.pixels[offset * (side + 2) * 3]) << side;
    EXPECT_EQ(data::center_region({side, side}, 7, 7).left, offset) << side;
  }
}

TEST(ResizeErrors, WholeMessages) {
  const Image image = sample_picture(4, 6);
  expect_error([&] { data::resize(image, 0, 5, Filter::bilinear); },
               "resize: both sides must be positive: 0 x 5");
  expect_error([&] { data::resize_shorter_side(image, 0, Filter::bilinear); },
               "resize: both sides must be positive: 0 x 0");
  expect_error([&] { data::resize({}, 4, 5, Filter::bilinear); },
               "resize: the picture must not be empty: 0 x 0");
  expect_error(
      [&] {
        data::resize({2, 2, Bytes(11)}, 4, 5, Filter::bilinear);
      },
      "resize: the picture must have 3 values a pixel: 2 x 2 with 11 values");
  const std::size_t large = std::size_t{1} << 32;
  expect_error([&] { data::resize(image, large, large, Filter::bilinear); },
               "resize: the result must fit in memory: 4294967296 x 4294967296 pixels");
  expect_error(
      [&] {
        data::resize_region(image, 8, 8, Filter::bilinear, {4, 0, 5, 1});
      },
      "resize: the region must lie in the resized picture: 5 x 1 pixels at (4, 0) of 8 x 8");
  expect_error(
      [&] { data::center_crop(image, 5, 6); },
      "center_crop: the picture must be at least as large as the crop: 4 x 6 for a crop of "
      "5 x 6");
}

}  // namespace
}  // namespace lamina::test
