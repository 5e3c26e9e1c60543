#include <algorithm>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

PngSample small_png() {
  const data::Image picture = sample_picture(20, 30);
  return {.height = 20, .width = 30, .samples = {picture.pixels.begin(), picture.pixels.end()}};
}

JpegSample small_jpeg() {
  return {.height = 20, .width = 30, .samples = sample_picture(20, 30).pixels};
}

void expect_decode_error(const Bytes& bytes, const std::string& message,
                         const data::DecodeOptions& options = {}) {
  expect_error([&] { data::decode_image(bytes, "cat", options); }, "decode_image: cat: " + message);
}

Bytes first(const Bytes& bytes, std::size_t count) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

Bytes::const_iterator at(const Bytes& bytes, std::size_t offset) {
  return bytes.begin() + static_cast<std::ptrdiff_t>(offset);
}

std::size_t find(const Bytes& bytes, const Bytes& part) {
  const auto found = std::search(bytes.begin(), bytes.end(), part.begin(), part.end());
  return static_cast<std::size_t>(found - bytes.begin());
}

Bytes with_byte(Bytes bytes, std::size_t offset, std::uint8_t value) {
  bytes[offset] = value;
  return bytes;
}

TEST(ImageErrors, EmptyAndForeign) {
  expect_decode_error({}, "is empty");
  expect_decode_error({'h'}, "is neither a PNG nor a JPEG: begins with 68");
  expect_decode_error({'G', 'I', 'F', '8', '9', 'a'},
                      "is neither a PNG nor a JPEG: begins with 47 49 46 38");
  expect_decode_error(first(png_signature(), 7),
                      "is neither a PNG nor a JPEG: begins with 89 50 4e 47");
}

TEST(ImageErrors, EveryTruncatedPng) {
  const Bytes whole = encode(small_png());
  for (std::size_t size = 8; size < whole.size(); ++size) {
    expect_decode_error(first(whole, size),
                        "the PNG is truncated: it ends after " + std::to_string(size) + " bytes");
  }
}

TEST(ImageErrors, EveryTruncatedJpeg) {
  for (const bool progressive : {false, true}) {
    JpegSample sample = small_jpeg();
    sample.progressive = progressive;
    const Bytes whole = encode(sample);
    for (std::size_t size = 3; size < whole.size(); ++size) {
      expect_decode_error(first(whole, size), "the JPEG is truncated: it ends after " +
                                                  std::to_string(size) + " bytes");
    }
  }
}

TEST(ImageErrors, CorruptPng) {
  const Bytes whole = encode(small_png());
  const std::size_t data = 8 + 25 + 8;
  expect_decode_error(with_byte(whole, 24, 9), "the PNG is corrupt: IHDR: CRC error");
  expect_decode_error(with_byte(whole, data, 0),
                      "the PNG is corrupt: IDAT: incorrect header check");
  expect_decode_error(with_byte(whole, whole.size() - 13, whole[whole.size() - 13] ^ 1),
                      "the PNG is corrupt: IDAT: CRC error");
  PngSample no_palette = small_png();
  no_palette.color = 3;
  no_palette.samples.resize(600);
  expect_decode_error(encode(no_palette), "the PNG is corrupt: IDAT: Missing PLTE before IDAT");
}

TEST(ImageErrors, CorruptJpeg) {
  const Bytes whole = encode(small_jpeg());
  const std::size_t scan = find(whole, {0xff, 0xda});
  const Bytes end_early = with_byte(with_byte(whole, scan + 40, 0xff), scan + 41, 0xd9);
  expect_decode_error(end_early,
                      "the JPEG is corrupt: Corrupt JPEG data: premature end of data segment");
  expect_decode_error(with_byte(whole, scan + 1, 0xc3),
                      "the JPEG is corrupt: Unsupported JPEG process: SOF type 0xc3");
}

TEST(ImageErrors, JpegOfTwoComponents) {
  Bytes bytes = encode(small_jpeg());
  const auto frame = find(bytes, {0xff, 0xc0, 0, 17});
  bytes[frame + 3] = 14;
  bytes[frame + 9] = 2;
  bytes.erase(at(bytes, frame + 16), at(bytes, frame + 19));
  const auto scan = find(bytes, {0xff, 0xda, 0, 12});
  bytes[scan + 3] = 10;
  bytes[scan + 4] = 2;
  bytes.erase(at(bytes, scan + 9), at(bytes, scan + 11));
  expect_decode_error(bytes, "the JPEG must have 1, 3 or 4 components: has 2");
}

TEST(ImageErrors, JpegOfEndlessScans) {
  JpegSample sample{.components = 1, .progressive = true, .samples = Bytes(256, 9)};
  Bytes bytes = encode(sample);
  bytes.resize(bytes.size() - 2);
  const Bytes last_scan(at(bytes, find(bytes, {0xff, 0xda, 0, 8, 1, 1, 0, 1, 63})), bytes.cend());
  const auto with_repeats = [&](int count) {
    Bytes repeated = bytes;
    for (int i = 0; i < count; ++i) {
      repeated = std::move(repeated) + last_scan;
    }
    return repeated + Bytes{0xff, 0xd9};
  };
  EXPECT_EQ(data::decode_image(with_repeats(150), "cat").pixels, Bytes(768, 9));
  expect_decode_error(with_repeats(250), "the JPEG is corrupt: more than 200 scans");
}

TEST(ImageErrors, SizeIsCheckedFromTheHeaderAlone) {
  PngSample huge{.height = 60000, .width = 60000};
  const Bytes header = png_signature() + png_header(huge);
  const std::string message = "must have at most 100000000 pixels: has 60000 x 60000";
  expect_decode_error(header, message);
  expect_decode_error(header + png_chunk("IDAT", {}), message);
  expect_decode_error(encode(small_png()), "must have at most 599 pixels: has 30 x 20", {599});
  expect_decode_error(encode(small_jpeg()), "must have at most 599 pixels: has 30 x 20", {599});
  EXPECT_EQ(data::decode_image(encode(small_png()), "cat", {600}).width, 30u);
}

// libpng passes over it, and finds the size later than one would.
TEST(ImageErrors, AChunkBeforeTheHeaderDoesNotHideItsSize) {
  const PngSample sample{.height = 40, .width = 50, .samples = std::vector<std::uint16_t>(6000, 9)};
  const Bytes whole = encode(sample);
  const Bytes rest(whole.begin() + 8, whole.end());
  const Bytes text = png_chunk("tEXt", {0, 0, 0, 1, 0, 0, 0, 1});
  expect_decode_error(png_signature() + text + rest, "must have at most 100 pixels: has 50 x 40",
                      {100});
}

TEST(ImageErrors, PixelsThatTheBytesCannotHold) {
  PngSample large{.height = 9000, .width = 9000};
  expect_decode_error(png_signature() + png_header(large) + png_chunk("IDAT", {}),
                      "is truncated: 9000 x 9000 pixels do not fit in 45 bytes");
  Bytes jpeg = encode(small_jpeg());
  const std::size_t frame = find(jpeg, {0xff, 0xc0, 0, 17});
  jpeg[frame + 5] = 0x20;
  jpeg[frame + 7] = 0x20;
  expect_decode_error(jpeg, "is truncated: 8222 x 8212 pixels do not fit in " +
                                std::to_string(jpeg.size()) + " bytes");
  JpegSample arithmetic = small_jpeg();
  arithmetic.arithmetic = true;
  jpeg = encode(arithmetic);
  const std::size_t start = find(jpeg, {0xff, 0xc9, 0, 17});
  jpeg[start + 5] = 0xff;
  jpeg[start + 7] = 0xff;
  expect_decode_error(
      jpeg,
      "is truncated: 65310 x 65300 pixels do not fit in " + std::to_string(jpeg.size()) + " bytes",
      {5'000'000'000});
}

TEST(ImageErrors, PaletteIndexBeyondTheEndIsBlack) {
  PngSample sample{.width = 2, .color = 3, .samples = {0, 200}, .palette = {9, 8, 7}};
  EXPECT_EQ(data::decode_image(encode(sample), "cat").pixels, (Bytes{9, 8, 7, 0, 0, 0}));
}

TEST(ImageErrors, Files) {
  const Folder folder;
  const std::string missing = (folder / "missing.png").string();
  expect_error([&] { data::read_image(missing); },
               "read_image: " + missing + ": cannot be opened: No such file or directory");
  expect_error([&] { data::read_image(folder.path()); },
               "read_image: " + folder.path().string() + ": cannot be read: Is a directory");
  const std::string empty = (folder / "empty.jpg").string();
  write_file(empty, "");
  expect_error([&] { data::read_image(empty); }, "decode_image: " + empty + ": is empty");
}

TEST(ImageErrors, RandomDamageIsAnErrorOrAPicture) {
  unsigned state = 1;
  const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 8; };
  JpegSample progressive = small_jpeg();
  progressive.progressive = true;
  for (const Bytes& whole : {encode(small_png()), encode(small_jpeg()), encode(progressive)}) {
    for (unsigned round = 0; round < 2000; ++round) {
      Bytes bytes = whole;
      for (unsigned i = 0; i < 1 + round % 5; ++i) {
        bytes[next() % bytes.size()] = static_cast<std::uint8_t>(next());
      }
      try {
        const data::Image image = data::decode_image(bytes, "cat", {1'000'000});
        EXPECT_EQ(image.pixels.size(), image.height * image.width * 3);
      } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).rfind("decode_image: cat: ", 0), 0u);
      }
    }
  }
}

}  // namespace
}  // namespace lamina::test
