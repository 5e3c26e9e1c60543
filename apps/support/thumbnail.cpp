#include "apps/support/thumbnail.h"

#include <algorithm>

#include "data/resize.h"

namespace lamina::apps {
namespace {

data::Image enlarge(const data::Image& image, std::size_t factor) {
  data::Image large{image.height * factor, image.width * factor, {}};
  large.pixels.reserve(large.height * large.width * 3);
  for (std::size_t y = 0; y < large.height; ++y) {
    for (std::size_t x = 0; x < large.width; ++x) {
      const std::uint8_t* pixel = image.pixels.data() + (y / factor * image.width + x / factor) * 3;
      large.pixels.insert(large.pixels.end(), pixel, pixel + 3);
    }
  }
  return large;
}

}  // namespace

data::Image thumbnail(const data::Image& image, std::size_t side) {
  const std::size_t longer = std::max(image.height, image.width);
  if (longer <= side) {
    return enlarge(image, side / longer);
  }
  const auto reduced = [=](std::size_t length) {
    return std::max<std::size_t>(1, (length * side + longer / 2) / longer);
  };
  return data::resize(image, reduced(image.height), reduced(image.width), data::Filter::bicubic);
}

}  // namespace lamina::apps
