#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/error.h"
#include "data/image.h"

namespace lamina::data {

/// An encoded picture: its bytes, its name in messages and what its decoder may do.
struct Source {
  std::span<const std::uint8_t> bytes;
  std::string_view name;
  DecodeOptions options;
};

Image decode_png(const Source& source);
Image decode_jpeg(const Source& source);

template <class... Parts>
void check_source(bool condition, const Source& source, const Parts&... parts) {
  check(condition, "decode_image: ", source.name, ": ", parts...);
}

/// Throws Error when a header asks for more pixels than allowed.
inline void check_limit(const Source& source, std::size_t height, std::size_t width) {
  const std::size_t limit = source.options.max_pixels;
  check_source(width == 0 || height <= limit / width, source, "must have at most ", limit,
               " pixels: has ", width, " x ", height);
}

/// Throws Error when a header asks for more pixels than `most`, all that the bytes can hold: no
/// memory is set aside for a header alone.
inline void check_fits(const Source& source, const Image& size, std::size_t most) {
  check_source(size.height * size.width <= most, source, "is truncated: ", size.width, " x ",
               size.height, " pixels do not fit in ", source.bytes.size(), " bytes");
}

}  // namespace lamina::data
