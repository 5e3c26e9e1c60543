#pragma once

#include "data/image.h"
#include "tests/fuzz/target.h"

namespace lamina::fuzz {

/// What a picture may be at most: time per input stays short.
inline constexpr std::size_t kMostPixels = std::size_t{1} << 16;

/// Decodes the picture, which may be refused, and checks its sides. For each pixel that may be
/// there `bytes_per_pixel` are justified, and 2 MiB for the decoder's own tables and windows.
int decode(Input file, std::size_t bytes_per_pixel);

}  // namespace lamina::fuzz
