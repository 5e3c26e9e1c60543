#include "data/trivial_augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "data/augment.h"
#include "data/blend.h"
#include "data/check_image.h"

namespace lamina::data {
namespace {

constexpr std::size_t kStrengths = 31;
constexpr std::size_t kValues = 256;
using Table = std::array<std::uint8_t, kValues>;
using Histogram = std::array<std::size_t, kValues>;

/// 16 bits behind the point, as Pillow steps through a picture.
std::int64_t fixed(double value) {
  return static_cast<std::int64_t>(std::floor(value * 65536.0 + 0.5));
}

Histogram histogram_of(const Image& image, std::size_t channel) {
  Histogram counts{};
  for (std::size_t i = channel; i < image.pixels.size(); i += 3) {
    ++counts[image.pixels[i]];
  }
  return counts;
}

void look_up(Image& image, std::size_t channel, const Table& table) {
  for (std::size_t i = channel; i < image.pixels.size(); i += 3) {
    image.pixels[i] = table[image.pixels[i]];
  }
}

template <class Function>
void map_values(Image& image, const Function& function) {
  Table table;
  for (std::size_t value = 0; value < kValues; ++value) {
    table[value] = function(static_cast<std::uint8_t>(value));
  }
  for (std::size_t channel = 0; channel < 3; ++channel) {
    look_up(image, channel, table);
  }
}

std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
}

void stretch_contrast(Image& image, std::size_t channel) {
  const Histogram counts = histogram_of(image, channel);
  std::size_t lo = 0;
  std::size_t hi = kValues - 1;
  while (counts[lo] == 0) {
    ++lo;
  }
  while (counts[hi] == 0) {
    --hi;
  }
  if (lo == hi) {
    return;
  }
  const double scale = 255.0 / static_cast<double>(hi - lo);
  const double offset = -static_cast<double>(lo) * scale;
  Table table;
  for (std::size_t value = 0; value < kValues; ++value) {
    table[value] = byte_of(static_cast<double>(value) * scale + offset);
  }
  look_up(image, channel, table);
}

void equalize(Image& image, std::size_t channel) {
  const Histogram counts = histogram_of(image, channel);
  std::size_t highest = kValues - 1;
  while (counts[highest] == 0) {
    --highest;
  }
  const std::size_t step = (image.height * image.width - counts[highest]) / (kValues - 1);
  if (step == 0) {
    return;
  }
  Table table;
  std::size_t sum = step / 2;
  for (std::size_t value = 0; value < kValues; ++value) {
    table[value] = static_cast<std::uint8_t>(std::min(sum / step, kValues - 1));
    sum += counts[value];
  }
  look_up(image, channel, table);
}

}  // namespace

AffineMap rotation(double degrees, const Image& image) {
  const double angle = -degrees * std::numbers::pi / 180.0;
  AffineMap map{
      .a = std::cos(angle), .b = std::sin(angle), .d = -std::sin(angle), .e = std::cos(angle)};
  const double x = static_cast<double>(image.width) / 2.0;
  const double y = static_cast<double>(image.height) / 2.0;
  map.c = x - map.a * x - map.b * y;
  map.f = y - map.d * x - map.e * y;
  return map;
}

void transform(Image& image, const AffineMap& map) {
  check_image("transform", image);
  const auto height = static_cast<std::int64_t>(image.height);
  const auto width = static_cast<std::int64_t>(image.width);
  std::vector<std::uint8_t> result(image.pixels.size());
  std::uint8_t* to = result.data();
  for (std::int64_t y = 0; y < height; ++y) {
    std::int64_t from_x = fixed(map.c + map.a * 0.5 + map.b * 0.5) + y * fixed(map.b);
    std::int64_t from_y = fixed(map.f + map.d * 0.5 + map.e * 0.5) + y * fixed(map.e);
    for (std::int64_t x = 0; x < width; ++x, to += 3) {
      const std::int64_t column = from_x >> 16;
      const std::int64_t row = from_y >> 16;
      if (column >= 0 && column < width && row >= 0 && row < height) {
        std::copy_n(image.pixels.data() + (row * width + column) * 3, 3, to);
      }
      from_x += fixed(map.a);
      from_y += fixed(map.d);
    }
  }
  image.pixels = std::move(result);
}

void change_sharpness(Image& image, float factor) {
  check_image("change_sharpness", image);
  const std::vector<std::uint8_t> before = image.pixels;
  const std::size_t row = image.width * 3;
  for (std::size_t y = 1; y + 1 < image.height; ++y) {
    for (std::size_t i = y * row + 3; i + 3 < (y + 1) * row; ++i) {
      int sum = 4 * before[i];  // the middle has weight 5
      for (const std::size_t line : {i - row, i, i + row}) {
        sum += before[line - 3] + before[line] + before[line + 3];
      }
      image.pixels[i] = blend((2 * sum + 13) / 26, before[i], factor);
    }
  }
}

void posterize(Image& image, unsigned bits) {
  check_image("posterize", image);
  check(bits >= 1 && bits <= 8, "posterize: bits must be from 1 to 8: ", bits);
  const unsigned mask = 0xffu << (8 - bits);
  map_values(image, [mask](std::uint8_t value) { return static_cast<std::uint8_t>(value & mask); });
}

void solarize(Image& image, float threshold) {
  check_image("solarize", image);
  map_values(image, [threshold](std::uint8_t value) {
    return static_cast<float>(value) < threshold ? value : static_cast<std::uint8_t>(255 - value);
  });
}

void stretch_contrast(Image& image) {
  check_image("stretch_contrast", image);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    stretch_contrast(image, channel);
  }
}

void equalize(Image& image) {
  check_image("equalize", image);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    equalize(image, channel);
  }
}

void trivial_augment(Image& image, Rng& rng) {
  const std::size_t kind = rng.below(14);
  const float strength = static_cast<float>(rng.below(kStrengths)) / float{kStrengths - 1};
  const float sign = rng.below(2) == 0 ? 1.0f : -1.0f;
  const double shear = 0.99 * double{strength * sign};
  const double shift = std::trunc(32.0 * double{strength * sign});
  const float factor = 1.0f + 0.99f * strength * sign;
  switch (kind) {
    case 0:
      return transform(image, {.b = shear});
    case 1:
      return transform(image, {.d = shear});
    case 2:
      return transform(image, {.c = shift});
    case 3:
      return transform(image, {.f = shift});
    case 4:
      return transform(image, rotation(135.0 * double{strength * sign}, image));
    case 5:
      return change_brightness(image, factor);
    case 6:
      return change_saturation(image, factor);
    case 7:
      return change_contrast(image, factor);
    case 8:
      return change_sharpness(image, factor);
    case 9:
      return posterize(image, static_cast<unsigned>(8.0f - std::round(6.0f * strength)));
    case 10:
      return solarize(image, 255.0f * (1.0f - strength));
    case 11:
      return stretch_contrast(image);
    case 12:
      return equalize(image);
    default:
      return;  // as it is
  }
}

}  // namespace lamina::data
