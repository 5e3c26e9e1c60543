#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "data/augment.h"
#include "data/blend.h"
#include "data/check_image.h"

namespace lamina::data {
namespace {

/// Pillow's luma, with 16-bit fractions.
int luma(const std::uint8_t* pixel) {
  return (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
}

void blend_all(Image& image, int from, float factor) {
  std::array<std::uint8_t, 256> table;
  for (int value = 0; value < 256; ++value) {
    table[static_cast<std::size_t>(value)] = blend(from, value, factor);
  }
  for (std::uint8_t& value : image.pixels) {
    value = table[value];
  }
}

/// The channel between the lowest and the highest, for a hue of `sixths` in [0, 6): as far into
/// its sixth of the circle as the channel has gone up or down.
void set_hue(std::uint8_t* pixel, std::uint8_t low, std::uint8_t high, float sixths) {
  const int sixth = static_cast<int>(sixths);
  const float part = sixths - static_cast<float>(sixth);
  const float along = sixth % 2 == 0 ? part : 1.0f - part;
  const auto middle = static_cast<std::uint8_t>(static_cast<float>(low) +
                                                along * static_cast<float>(high - low) + 0.5f);
  constexpr std::array<std::array<std::size_t, 3>, 6> kHighMiddleLow = {
      {{0, 1, 2}, {1, 0, 2}, {1, 2, 0}, {2, 1, 0}, {2, 0, 1}, {0, 2, 1}}};
  const auto& channels = kHighMiddleLow[static_cast<std::size_t>(sixth)];
  pixel[channels[0]] = high;
  pixel[channels[1]] = middle;
  pixel[channels[2]] = low;
}

float factor_around_1(float amount, Rng& rng) {
  return rng.uniform(std::max(0.0f, 1.0f - amount), 1.0f + amount);
}

}  // namespace

void change_brightness(Image& image, float factor) {
  check_image("change_brightness", image);
  blend_all(image, 0, factor);
}

void change_contrast(Image& image, float factor) {
  check_image("change_contrast", image);
  double sum = 0.0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    sum += luma(&image.pixels[i]);
  }
  const std::size_t pixels = image.height * image.width;
  blend_all(image, static_cast<int>(sum / static_cast<double>(pixels) + 0.5), factor);
}

void change_saturation(Image& image, float factor) {
  check_image("change_saturation", image);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    const int gray = luma(&image.pixels[i]);
    for (std::size_t c = 0; c < 3; ++c) {
      image.pixels[i + c] = blend(gray, image.pixels[i + c], factor);
    }
  }
}

void turn_hue(Image& image, float turn) {
  check_image("turn_hue", image);
  const float sixths = (turn - std::floor(turn)) * 6.0f;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    std::uint8_t* pixel = &image.pixels[i];
    const auto [low, high] = std::minmax({pixel[0], pixel[1], pixel[2]});
    if (low == high) {
      continue;
    }
    const std::size_t first = pixel[0] == high ? 0 : pixel[1] == high ? 1 : 2;
    const int difference = pixel[(first + 1) % 3] - pixel[(first + 2) % 3];
    float hue = 2.0f * static_cast<float>(first) +
                static_cast<float>(difference) / static_cast<float>(high - low) + sixths;
    hue += hue < 0.0f ? 6.0f : 0.0f;
    hue -= hue >= 6.0f ? 6.0f : 0.0f;
    set_hue(pixel, low, high, std::clamp(hue, 0.0f, std::nextafter(6.0f, 0.0f)));
  }
}

void jitter_colors(Image& image, const ColorJitter& jitter, Rng& rng) {
  std::array<int, 4> order = {0, 1, 2, 3};
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    std::swap(order[i], order[i + rng.below(order.size() - i)]);
  }
  const float brightness = factor_around_1(jitter.brightness, rng);
  const float contrast = factor_around_1(jitter.contrast, rng);
  const float saturation = factor_around_1(jitter.saturation, rng);
  const float hue = rng.uniform(-jitter.hue, jitter.hue);
  for (const int change : order) {
    if (change == 0 && jitter.brightness > 0.0f) {
      change_brightness(image, brightness);
    } else if (change == 1 && jitter.contrast > 0.0f) {
      change_contrast(image, contrast);
    } else if (change == 2 && jitter.saturation > 0.0f) {
      change_saturation(image, saturation);
    } else if (change == 3 && jitter.hue > 0.0f) {
      turn_hue(image, hue);
    }
  }
}

}  // namespace lamina::data
