#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/image.h"

namespace lamina::test {

using Bytes = std::vector<std::uint8_t>;

/// Pixels of no pattern that a filter could hide: a fixed function of row, column and channel.
data::Image sample_picture(std::size_t height, std::size_t width);

/// A PNG as its specification lays it out (W3C, 2nd edition), from raw samples.
struct PngSample {
  std::uint32_t height = 1, width = 1;
  int depth = 8;
  int color = 2;  ///< 0 gray, 2 RGB, 3 palette, 4 gray + alpha, 6 RGBA
  bool interlaced = false;
  std::vector<std::uint16_t> samples = {};  ///< [height, width, channels]
  Bytes palette = {};                       ///< RGB triples
  Bytes transparency = {};                  ///< body of the tRNS chunk

  std::size_t channels() const {
    return std::array{1u, 0u, 3u, 1u, 2u, 0u, 4u}[static_cast<std::size_t>(color)];
  }
};

Bytes png_signature();
Bytes png_chunk(const std::string& type, const Bytes& body);
Bytes png_header(const PngSample& sample);
Bytes encode(const PngSample& sample);

/// A JPEG of raw components, written by libjpeg.
struct JpegSample {
  unsigned height = 16, width = 16;
  int components = 3;  ///< 1 gray, 3 RGB stored as YCbCr, 4 CMYK
  bool store_ycck = false;
  bool progressive = false;
  bool arithmetic = false;
  bool adobe_marker = true;
  Bytes samples = {};  ///< [height, width, components]
  Bytes app1 = {};
};

Bytes encode(const JpegSample& sample);

/// The body of an APP1 segment that holds one orientation.
Bytes exif_segment(std::uint16_t orientation, char byte_order);

Bytes operator+(Bytes left, const Bytes& right);

}  // namespace lamina::test
