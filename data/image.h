#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/file_limits.h"

namespace lamina::data {

/// A picture: 8-bit RGB, row after row, pixels[(y * width + x) * 3 + channel].
struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::uint8_t> pixels;
};

struct DecodeOptions {
  /// Pictures of more pixels are refused from their header, before anything is decoded.
  std::size_t max_pixels = limits::kPixels;
};

/// Decodes a PNG or a JPEG, told apart by their first bytes. PNG: gray, gray + alpha, RGB, RGBA,
/// palette; 1 to 16 bits, of which the upper 8 count; interlaced. Gamma is ignored, alpha
/// composited on white: (a c + (255 - a) 255) / 255, rounded to the nearest. JPEG: gray, YCbCr,
/// RGB, CMYK and YCCK, the last two stored inverted, to the pixels that Pillow gives; turned
/// upright as the EXIF orientation says. `name` stands for the picture in messages. Throws Error
/// when the data is neither, over the limit, truncated or corrupt; no memory is set aside for a
/// header's claims that so many bytes cannot fill.
Image decode_image(std::span<const std::uint8_t> bytes, std::string_view name,
                   const DecodeOptions& options = {});

/// Reads and decodes a file of at most 1 GiB, which may be a pipe. Throws Error, also when it
/// cannot be read.
Image read_image(const std::filesystem::path& path, const DecodeOptions& options = {});

/// Writes an RGB PNG: to a temporary name beside it, synced, then renamed. Throws Error.
void write_png(const std::filesystem::path& path, const Image& image);

/// The picture files (.png, .jpg, .jpeg, in any case) in `directory` and the folders below it,
/// sorted by path. Links to files count, links to folders are not followed, a folder below
/// that cannot be read is told to `unreadable` and passed over. Throws Error when `directory`
/// itself cannot be read.
std::vector<std::filesystem::path> find_images(
    const std::filesystem::path& directory,
    const std::function<void(const std::string& message)>& unreadable = {});

}  // namespace lamina::data
