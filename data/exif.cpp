#include "data/exif.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace lamina::data {
namespace {

/// A TIFF structure: numbers of either byte order at offsets that may lie outside.
class Tiff {
 public:
  explicit Tiff(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    little_endian_ = bytes.size() >= 2 && bytes[0] == 'I' && bytes[1] == 'I';
  }

  std::optional<std::uint32_t> number(std::size_t offset, std::size_t length) const {
    if (offset > bytes_.size() || length > bytes_.size() - offset) {
      return std::nullopt;
    }
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i) {
      value = value << 8 | bytes_[offset + (little_endian_ ? length - 1 - i : i)];
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool little_endian_;
};

}  // namespace

Orientation exif_orientation(std::span<const std::uint8_t> segment) {
  constexpr std::array<std::uint8_t, 6> kExif = {'E', 'x', 'i', 'f', 0, 0};
  constexpr std::uint32_t kTag = 0x0112, kShort = 3;
  if (segment.size() < kExif.size() || !std::equal(kExif.begin(), kExif.end(), segment.begin())) {
    return Orientation::top_left;
  }
  const Tiff tiff(segment.subspan(kExif.size()));
  const std::size_t directory = tiff.number(4, 4).value_or(0);
  const std::size_t entries = tiff.number(directory, 2).value_or(0);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (tiff.number(entry, 2) == kTag && tiff.number(entry + 2, 2) == kShort) {
      const std::uint32_t value = tiff.number(entry + 8, 2).value_or(0);
      return value >= 1 && value <= 8 ? static_cast<Orientation>(value) : Orientation::top_left;
    }
  }
  return Orientation::top_left;
}

Image turn_upright(Image image, Orientation orientation) {
  if (orientation == Orientation::top_left) {
    return image;
  }
  const bool transposed = orientation >= Orientation::left_top;
  const bool last_row_first =
      orientation == Orientation::bottom_right || orientation == Orientation::bottom_left ||
      orientation == Orientation::right_top || orientation == Orientation::right_bottom;
  const bool last_column_first =
      orientation == Orientation::top_right || orientation == Orientation::bottom_right ||
      orientation == Orientation::right_bottom || orientation == Orientation::left_bottom;
  Image upright{image.height, image.width, std::vector<std::uint8_t>(image.pixels.size())};
  if (transposed) {
    std::swap(upright.height, upright.width);
  }
  std::uint8_t* to = upright.pixels.data();
  for (std::size_t y = 0; y < upright.height; ++y) {
    for (std::size_t x = 0; x < upright.width; ++x, to += 3) {
      const std::size_t row = transposed ? x : y;
      const std::size_t column = transposed ? y : x;
      const std::size_t from_row = last_row_first ? image.height - 1 - row : row;
      const std::size_t from_column = last_column_first ? image.width - 1 - column : column;
      std::copy_n(&image.pixels[(from_row * image.width + from_column) * 3], 3, to);
    }
  }
  return upright;
}

}  // namespace lamina::data
