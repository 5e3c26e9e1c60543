#pragma once

#include <string_view>

#include "core/error.h"
#include "data/image.h"

namespace lamina::data {

/// Throws Error in the name of `op` unless the picture has pixels, and 3 values for each.
inline void check_image(std::string_view op, const Image& image) {
  const std::size_t pixels = image.pixels.size() / 3;
  check(image.height > 0 && image.width > 0, op, ": the picture must not be empty: ", image.height,
        " x ", image.width);
  check(image.pixels.size() % 3 == 0 && pixels % image.height == 0 &&
            pixels / image.height == image.width,
        op, ": the picture must have 3 values a pixel: ", image.height, " x ", image.width,
        " with ", image.pixels.size(), " values");
}

}  // namespace lamina::data
