#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "tests/support/samples.h"

namespace lamina::test {
namespace {

struct Kind {
  int color, depth;
  bool interlaced, transparency;
};

PngSample random_sample(const Kind& kind, std::uint32_t height, std::uint32_t width) {
  std::mt19937 random(static_cast<unsigned>(kind.color * 100 + kind.depth));
  PngSample sample{height, width, kind.depth, kind.color, kind.interlaced, {}, {}, {}};
  const std::size_t levels = std::size_t{1} << kind.depth;
  for (std::size_t i = 0; i < height * width * sample.channels(); ++i) {
    sample.samples.push_back(static_cast<std::uint16_t>(random() % levels));
  }
  if (kind.color == 3) {
    for (std::size_t i = 0; i < levels * 3; ++i) {
      sample.palette.push_back(static_cast<std::uint8_t>(random()));
    }
  }
  if (kind.transparency && kind.color == 3) {
    for (std::size_t i = 0; i < (levels + 1) / 2; ++i) {
      sample.transparency.push_back(static_cast<std::uint8_t>(random()));
    }
  } else if (kind.transparency) {
    for (std::size_t c = 0; c < sample.channels(); ++c) {
      sample.transparency.push_back(static_cast<std::uint8_t>(sample.samples[c] >> 8));
      sample.transparency.push_back(static_cast<std::uint8_t>(sample.samples[c]));
    }
  }
  return sample;
}

int to_8_bits(const PngSample& sample, std::uint16_t value) {
  return sample.depth == 16 ? value >> 8 : value * 255 / ((1 << sample.depth) - 1);
}

bool is_key(const PngSample& sample, const std::uint16_t* pixel) {
  for (std::size_t c = 0; c < sample.channels(); ++c) {
    if (pixel[c] != (sample.transparency[2 * c] << 8 | sample.transparency[2 * c + 1])) {
      return false;
    }
  }
  return true;
}

std::array<int, 4> rgba_at(const PngSample& sample, const std::uint16_t* pixel) {
  if (sample.color == 3) {
    const std::uint8_t* entry = &sample.palette[pixel[0] * 3u];
    const bool opaque = pixel[0] >= sample.transparency.size();
    return {entry[0], entry[1], entry[2], opaque ? 255 : sample.transparency[pixel[0]]};
  }
  const bool colored = sample.color == 2 || sample.color == 6;
  int alpha = 255;
  if (sample.color >= 4) {
    alpha = to_8_bits(sample, pixel[sample.channels() - 1]);
  } else if (!sample.transparency.empty() && is_key(sample, pixel)) {
    alpha = 0;
  }
  return {to_8_bits(sample, pixel[0]), to_8_bits(sample, pixel[colored ? 1 : 0]),
          to_8_bits(sample, pixel[colored ? 2 : 0]), alpha};
}

Bytes on_white(const PngSample& sample) {
  Bytes rgb;
  for (std::size_t i = 0; i < sample.samples.size(); i += sample.channels()) {
    const auto rgba = rgba_at(sample, &sample.samples[i]);
    const double alpha = rgba[3] / 255.0;
    for (std::size_t c = 0; c < 3; ++c) {
      rgb.push_back(static_cast<std::uint8_t>(std::lround(rgba[c] * alpha + 255 * (1 - alpha))));
    }
  }
  return rgb;
}

std::vector<Kind> all_kinds() {
  const std::vector<std::pair<int, std::vector<int>>> depths = {
      {0, {1, 2, 4, 8, 16}}, {2, {8, 16}}, {3, {1, 2, 4, 8}}, {4, {8, 16}}, {6, {8, 16}}};
  std::vector<Kind> kinds;
  for (const auto& [color, list] : depths) {
    for (const int depth : list) {
      for (const bool interlaced : {false, true}) {
        for (const bool transparency : {false, true}) {
          if (color < 4 || !transparency) {
            kinds.push_back({color, depth, interlaced, transparency});
          }
        }
      }
    }
  }
  return kinds;
}

std::string kind_name(const testing::TestParamInfo<Kind>& info) {
  const std::array names = {"gray", "", "rgb", "palette", "gray_alpha", "", "rgba"};
  return std::string(names[static_cast<std::size_t>(info.param.color)]) +
         std::to_string(info.param.depth) + (info.param.interlaced ? "_interlaced" : "") +
         (info.param.transparency ? "_transparency" : "");
}

class Png : public testing::TestWithParam<Kind> {};

TEST_P(Png, DecodesEverySize) {
  for (const auto& [height, width] : {std::pair(1u, 1u), {19u, 23u}, {3u, 8u}, {9u, 1u}}) {
    const PngSample sample = random_sample(GetParam(), height, width);
    const data::Image image = data::decode_image(encode(sample), "sample.png");
    ASSERT_EQ(image.height, height);
    ASSERT_EQ(image.width, width);
    EXPECT_EQ(image.pixels, on_white(sample)) << height << " x " << width;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Png, testing::ValuesIn(all_kinds()), kind_name);

TEST(PngChunks, ThatOnlyDescribeAreIgnored) {
  PngSample sample = random_sample({2, 8, false, false}, 5, 7);
  const Bytes plain = encode(sample);
  const std::size_t after_header = 8 + 25;
  const auto split = plain.begin() + after_header;
  const Bytes gamma = png_chunk("gAMA", {0, 0, 0, 100});
  const Bytes long_text = png_chunk("tEXt", Bytes(5'000'000, 'a'));
  const Bytes png = Bytes(plain.begin(), split) + gamma + long_text + Bytes(split, plain.end());
  EXPECT_EQ(data::decode_image(png, "sample.png").pixels, on_white(sample));
}

TEST(PngCompositing, RoundsEveryValueAndAlphaToTheNearest) {
  PngSample sample{256, 256, 8, 4, false, {}, {}, {}};
  for (std::uint16_t value = 0; value < 256; ++value) {
    for (std::uint16_t alpha = 0; alpha < 256; ++alpha) {
      sample.samples.insert(sample.samples.end(), {value, alpha});
    }
  }
  EXPECT_EQ(data::decode_image(encode(sample), "sample.png").pixels, on_white(sample));
}

}  // namespace
}  // namespace lamina::test
