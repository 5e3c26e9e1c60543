#include <cmath>
#include <gtest/gtest.h>

#include "data/exif.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

/// 48 x 32 pixels, a flat color in each quarter: top left, top right, bottom left, bottom right.
JpegSample quarters(const std::array<Bytes, 4>& colors) {
  JpegSample sample{.height = 32, .width = 48, .components = static_cast<int>(colors[0].size())};
  for (std::size_t y = 0; y < sample.height; ++y) {
    for (std::size_t x = 0; x < sample.width; ++x) {
      sample.samples = std::move(sample.samples) + colors[y / 16 * 2 + x / 24];
    }
  }
  return sample;
}

const std::array<Bytes, 4> kColors = {
    Bytes{200, 30, 60}, {20, 180, 90}, {40, 50, 220}, {240, 230, 20}};

void expect_color(const data::Image& image, std::size_t y, std::size_t x,
                  const std::array<double, 3>& color, double tolerance) {
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(image.pixels[(y * image.width + x) * 3 + c], color[c], tolerance)
        << "row " << y << ", column " << x << ", channel " << c;
  }
}

std::array<double, 3> rgb(std::size_t quarter) {
  const Bytes& color = kColors[quarter];
  return {1.0 * color[0], 1.0 * color[1], 1.0 * color[2]};
}

/// The color in the middle of each quarter, in reading order, is that of the quarter named.
void expect_quarters(const data::Image& image, const std::array<std::size_t, 4>& order) {
  for (std::size_t i = 0; i < 4; ++i) {
    expect_color(image, image.height * (1 + i / 2 * 2) / 4, image.width * (1 + i % 2 * 2) / 4,
                 rgb(order[i]), 2);
  }
}

TEST(Jpeg, DecodesColor) {
  for (const bool progressive : {false, true}) {
    JpegSample sample = quarters(kColors);
    sample.progressive = progressive;
    const data::Image image = data::decode_image(encode(sample), "sample.jpg");
    EXPECT_EQ(image.height, 32u);
    EXPECT_EQ(image.width, 48u);
    expect_quarters(image, {0, 1, 2, 3});
  }
}

TEST(Jpeg, DecodesArithmeticCode) {
  for (const bool progressive : {false, true}) {
    JpegSample sample = quarters(kColors);
    sample.arithmetic = true;
    sample.progressive = progressive;
    expect_quarters(data::decode_image(encode(sample), "sample.jpg"), {0, 1, 2, 3});
  }
}

// As small as such a file gets for its pixels.
TEST(Jpeg, DecodesFlatPicturesOfArithmeticCode) {
  JpegSample flat{.height = 4000, .width = 4000, .components = 1, .arithmetic = true};
  flat.samples.assign(std::size_t{4000} * 4000, 90);
  const Bytes file = encode(flat);
  RecordProperty("bytes", static_cast<int>(file.size()));
  const data::Image image = data::decode_image(file, "flat.jpg");
  expect_color(image, 3999, 3999, {90, 90, 90}, 1);
}

TEST(Jpeg, DecodesGray) {
  const JpegSample sample = quarters({Bytes{0}, {100}, {200}, {255}});
  const data::Image image = data::decode_image(encode(sample), "sample.jpg");
  expect_color(image, 8, 12, {0, 0, 0}, 1);
  expect_color(image, 8, 36, {100, 100, 100}, 1);
  expect_color(image, 24, 12, {200, 200, 200}, 1);
  expect_color(image, 24, 36, {255, 255, 255}, 1);
}

TEST(Jpeg, TakesCmykAsInverted) {
  const std::array<Bytes, 4> inks = {
      Bytes{255, 255, 255, 255}, {10, 200, 90, 250}, {255, 0, 128, 100}, {70, 80, 90, 0}};
  for (const bool ycck : {false, true}) {
    JpegSample sample = quarters(inks);
    sample.store_ycck = ycck;
    const data::Image image = data::decode_image(encode(sample), "sample.jpg");
    for (std::size_t i = 0; i < 4; ++i) {
      const double black = inks[i][3] / 255.0;
      expect_color(image, 8 + i / 2 * 16, 12 + i % 2 * 24,
                   {inks[i][0] * black, inks[i][1] * black, inks[i][2] * black}, 3);
    }
  }
}

TEST(Jpeg, IsTurnedUprightAsExifSays) {
  const std::array<std::array<std::size_t, 4>, 9> orders = {{{0, 1, 2, 3},
                                                             {0, 1, 2, 3},
                                                             {1, 0, 3, 2},
                                                             {3, 2, 1, 0},
                                                             {2, 3, 0, 1},
                                                             {0, 2, 1, 3},
                                                             {2, 0, 3, 1},
                                                             {3, 1, 2, 0},
                                                             {1, 3, 0, 2}}};
  for (const char byte_order : {'I', 'M'}) {
    for (std::uint16_t orientation = 0; orientation < 9; ++orientation) {
      SCOPED_TRACE(testing::Message() << byte_order << byte_order << " " << orientation);
      JpegSample sample = quarters(kColors);
      sample.app1 = exif_segment(orientation, byte_order);
      const data::Image image = data::decode_image(encode(sample), "sample.jpg");
      EXPECT_EQ(image.height, orientation < 5 ? 32u : 48u);
      EXPECT_EQ(image.width, orientation < 5 ? 48u : 32u);
      expect_quarters(image, orders[orientation]);
    }
  }
}

TEST(Exif, KeepsEveryPixelOfAnOddPicture) {
  const data::Image image = sample_picture(3, 5);
  const data::Image turned = data::turn_upright(image, data::Orientation::right_top);
  ASSERT_EQ(turned.height, 5u);
  ASSERT_EQ(turned.width, 3u);
  for (std::size_t y = 0; y < 5; ++y) {
    for (std::size_t x = 0; x < 3; ++x) {
      EXPECT_EQ(turned.pixels[(y * 3 + x) * 3], image.pixels[((2 - x) * 5 + y) * 3]);
    }
  }
}

TEST(Exif, MalformedSegmentsAreUpright) {
  const Bytes whole = exif_segment(6, 'I');
  EXPECT_EQ(data::exif_orientation(whole), data::Orientation::right_top);
  for (std::size_t length = 0; length < whole.size() - 2; ++length) {
    EXPECT_EQ(data::exif_orientation(std::span(whole).first(length)), data::Orientation::top_left)
        << length << " bytes";
  }
  for (const std::uint16_t value : std::array<std::uint16_t, 4>{0, 9, 0x0600, 0xffff}) {
    EXPECT_EQ(data::exif_orientation(exif_segment(value, 'I')), data::Orientation::top_left);
  }
  Bytes far_away = whole;
  std::fill_n(far_away.begin() + 10, 4, std::uint8_t{0xff});
  EXPECT_EQ(data::exif_orientation(far_away), data::Orientation::top_left);
}

TEST(Jpeg, ToleratesPaddingBeforeAMarker) {
  const Bytes whole = encode(quarters(kColors));
  const auto end = whole.end() - 2;
  const Bytes padded = Bytes(whole.begin(), end) + Bytes{0, 0, 0} + Bytes(end, whole.end());
  EXPECT_EQ(data::decode_image(padded, "a.jpg").pixels, data::decode_image(whole, "b.jpg").pixels);
}

}  // namespace
}  // namespace lamina::test
