#include "tests/fuzz/picture.h"

namespace lamina::fuzz {

int decode(Input file, std::size_t bytes_per_pixel) {
  constexpr std::size_t kFree = std::size_t{2} << 20;
  return attempt(kMostPixels * bytes_per_pixel + kFree, [&] {
    const data::Image image = data::decode_image(file, "fuzz", {.max_pixels = kMostPixels});
    promise(image.height * image.width > 0 && image.height * image.width <= kMostPixels,
            "pixels within the limit: ", image.height, " x ", image.width);
    promise(image.pixels.size() == image.height * image.width * 3, "3 values a pixel");
  });
}

}  // namespace lamina::fuzz
