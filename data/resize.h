#pragma once

#include <cstddef>
#include <string_view>

#include "data/image.h"

namespace lamina::data {

/// Resampling filters, antialiased: when shrinking, the support grows with the scale.
enum class Filter {
  bilinear,  ///< the triangle 1 - |x|, |x| < 1
  bicubic,   ///< Keys' cubic convolution with a = -1/2, |x| < 2
};

/// "bilinear" or "bicubic".
std::string_view filter_name(Filter filter);

/// The sides of a picture, pixels.
struct Size {
  std::size_t height, width;
};

/// A rectangle of pixels.
struct Region {
  std::size_t top, left, height, width;
};

/// The picture at another size, bit for bit as Pillow's Image.resize with the same filter: two
/// passes, horizontal first, each in 22-bit fixed point and rounded to 8 bits. Throws Error when a
/// side is zero.
Image resize(const Image& image, std::size_t height, std::size_t width, Filter filter);

/// The pixels of `region` of resize(image, height, width, filter), and no work for the others.
/// Throws Error when the region is empty or leaves the resized picture.
Image resize_region(const Image& image, std::size_t height, std::size_t width, Filter filter,
                    const Region& region);

/// The size that resize_shorter_side gives this picture.
Size shorter_side_size(const Image& image, std::size_t size);

/// The picture with its shorter side at `size` pixels, the longer one at
/// int(size * longer / shorter), as torchvision's Resize. Throws Error when a side is zero.
Image resize_shorter_side(const Image& image, std::size_t size, Filter filter);

/// The middle `height` x `width` of a picture of `size`: at offset round((side - length) / 2),
/// halves to even. Throws Error when the picture is smaller.
Region center_region(const Size& size, std::size_t height, std::size_t width);

/// The pixels of that region. Throws Error when the picture is smaller.
Image center_crop(const Image& image, std::size_t height, std::size_t width);

}  // namespace lamina::data
