#pragma once

#include <cstddef>

#include "data/image.h"

namespace lamina::apps {

/// The picture at a size that fits into side x side pixels: larger ones reduced with an antialiased
/// bicubic filter, smaller ones enlarged by the greatest whole factor, each pixel a square.
data::Image thumbnail(const data::Image& image, std::size_t side);

}  // namespace lamina::apps
