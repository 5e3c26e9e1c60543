#include "tests/support/samples.h"

#include <cstdio>
#include <cstdlib>
// libjpeg's header needs FILE declared.
#include <jpeglib.h>
#include <zlib.h>

namespace lamina::test {
namespace {

Bytes big_endian(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

struct Pass {
  std::size_t top, left, step_y, step_x;
};

std::vector<Pass> passes(const PngSample& sample) {
  if (!sample.interlaced) {
    return {{0, 0, 1, 1}};
  }
  return {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
          {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
}

Bytes scanline(const PngSample& sample, std::size_t y, const Pass& pass) {
  Bytes line = {0};
  unsigned bits = 0, count = 0;
  for (std::size_t x = pass.left; x < sample.width; x += pass.step_x) {
    for (std::size_t c = 0; c < sample.channels(); ++c) {
      bits = bits << sample.depth | sample.samples[(y * sample.width + x) * sample.channels() + c];
      for (count += static_cast<unsigned>(sample.depth); count >= 8; count -= 8) {
        line.push_back(static_cast<std::uint8_t>(bits >> (count - 8)));
      }
    }
  }
  if (count > 0) {
    line.push_back(static_cast<std::uint8_t>(bits << (8 - count)));
  }
  return line.size() > 1 ? line : Bytes{};
}

Bytes deflate(const Bytes& raw) {
  uLongf size = compressBound(raw.size());
  Bytes packed(size);
  compress(packed.data(), &size, raw.data(), raw.size());
  packed.resize(size);
  return packed;
}

/// Progressive: first the mean of every block, then component by component the rest.
std::vector<jpeg_scan_info> scan_script(const JpegSample& sample) {
  std::vector<jpeg_scan_info> scans = {{sample.components, {0, 1, 2, 3}, 0, 0, 0, 0}};
  for (int c = 0; c < sample.components; ++c) {
    scans.push_back({1, {c, 0, 0, 0}, 1, 63, 0, 0});
  }
  return scans;
}

void describe(jpeg_compress_struct& info, const JpegSample& sample) {
  info.image_width = sample.width;
  info.image_height = sample.height;
  info.input_components = sample.components;
  info.in_color_space = sample.components == 1   ? JCS_GRAYSCALE
                        : sample.components == 3 ? JCS_RGB
                                                 : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  if (sample.store_ycck) {
    jpeg_set_colorspace(&info, JCS_YCCK);
  }
  info.arith_code = sample.arithmetic ? TRUE : FALSE;
  info.write_Adobe_marker = sample.components == 4 && sample.adobe_marker ? TRUE : FALSE;
}

}  // namespace

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

data::Image sample_picture(std::size_t height, std::size_t width) {
  data::Image image{height, width, {}};
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        image.pixels.push_back(
            static_cast<std::uint8_t>(y * y * 7 + x * 13 + x * y * 3 + c * 101 + (x ^ y) * 29));
      }
    }
  }
  return image;
}

Bytes png_signature() { return {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}; }

Bytes png_chunk(const std::string& type, const Bytes& body) {
  const Bytes content = Bytes(type.begin(), type.end()) + body;
  const uLong sum = crc32(0, content.data(), static_cast<uInt>(content.size()));
  return big_endian(static_cast<std::uint32_t>(body.size())) + content +
         big_endian(static_cast<std::uint32_t>(sum));
}

Bytes png_header(const PngSample& sample) {
  return png_chunk("IHDR", big_endian(sample.width) + big_endian(sample.height) +
                               Bytes{static_cast<std::uint8_t>(sample.depth),
                                     static_cast<std::uint8_t>(sample.color), 0, 0,
                                     static_cast<std::uint8_t>(sample.interlaced)});
}

Bytes encode(const PngSample& sample) {
  Bytes raw;
  for (const Pass& pass : passes(sample)) {
    for (std::size_t y = pass.top; y < sample.height; y += pass.step_y) {
      raw = std::move(raw) + scanline(sample, y, pass);
    }
  }
  Bytes png = png_signature() + png_header(sample);
  if (!sample.palette.empty()) {
    png = png + png_chunk("PLTE", sample.palette);
  }
  if (!sample.transparency.empty()) {
    png = png + png_chunk("tRNS", sample.transparency);
  }
  return png + png_chunk("IDAT", deflate(raw)) + png_chunk("IEND", {});
}

Bytes encode(const JpegSample& sample) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  describe(info, sample);
  const std::vector<jpeg_scan_info> script = scan_script(sample);
  if (sample.progressive) {
    info.scan_info = script.data();
    info.num_scans = static_cast<int>(script.size());
  }
  jpeg_start_compress(&info, TRUE);
  if (!sample.app1.empty()) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, sample.app1.data(),
                      static_cast<unsigned>(sample.app1.size()));
  }
  Bytes samples = sample.samples;
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = samples.data() +
                   info.next_scanline * sample.width * static_cast<unsigned>(sample.components);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const Bytes bytes(buffer, buffer + size);
  std::free(buffer);
  return bytes;
}

Bytes exif_segment(std::uint16_t orientation, char byte_order) {
  const auto order = static_cast<std::uint8_t>(byte_order);
  const auto low = static_cast<std::uint8_t>(orientation);
  const auto high = static_cast<std::uint8_t>(orientation >> 8);
  const Bytes exif = {'E', 'x', 'i', 'f', 0, 0, order, order};
  return byte_order == 'I'
             ? exif + Bytes{42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, low, high, 0, 0}
             : exif + Bytes{0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, high, low, 0, 0};
}

}  // namespace lamina::test
