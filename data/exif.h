#pragma once

#include <cstdint>
#include <span>

#include "data/image.h"

namespace lamina::data {

/// How a stored picture is turned upright (EXIF 2.3, tag 0x0112), by where its first row and
/// first column belong.
enum class Orientation {
  top_left = 1,
  top_right,     ///< mirrored
  bottom_right,  ///< half a turn
  bottom_left,   ///< upside down mirror
  left_top,      ///< transposed
  right_top,     ///< a quarter turn clockwise makes it upright
  right_bottom,  ///< transposed about the other diagonal
  left_bottom,   ///< a quarter turn counterclockwise makes it upright
};

/// The orientation in a JPEG's APP1 segment; top_left where it says none or is malformed.
Orientation exif_orientation(std::span<const std::uint8_t> segment);

/// The picture upright.
Image turn_upright(Image image, Orientation orientation);

}  // namespace lamina::data
