#pragma once

#include <cstddef>
#include <string_view>

#include "data/image.h"

namespace lamina::data {

/// Resampling filters, antialiased: when shrinking, the support grows with the scale.
enum class Filter { bilinear, bicubic };

/// "bilinear" or "bicubic".
std::string_view filter_name(Filter filter);

/// The picture at another size, bit for bit as Pillow's Image.resize with the same filter: two
/// passes, horizontal first, each in 22-bit fixed point and rounded to 8 bits. Throws Error when a
/// side is zero.
Image resize(const Image& image, std::size_t height, std::size_t width, Filter filter);

/// The picture with its shorter side at `size` pixels, the longer one at
/// int(size * longer / shorter), as torchvision's Resize.
Image resize_shorter_side(const Image& image, std::size_t size, Filter filter);

/// The middle `height` x `width` pixels, at offset round((side - size) / 2), halves to even.
/// Throws Error when the picture is smaller.
Image centre_crop(const Image& image, std::size_t height, std::size_t width);

}  // namespace lamina::data
