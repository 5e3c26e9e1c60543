#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::data {

/// A picture: 8-bit RGB, row after row, pixels[(y * width + x) * 3 + channel].
struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::uint8_t> pixels;
};

struct DecodeOptions {
  /// Pictures of more pixels are refused from their header, before anything is decoded.
  std::size_t max_pixels = 100'000'000;
};

/// Decodes a PNG (grey, grey + alpha, RGB, RGBA, palette; 1 to 16 bits; interlaced; alpha is
/// composited on white) or a JPEG (grey, YCbCr, RGB, CMYK, YCCK; turned upright as its EXIF
/// orientation says), told apart by their first bytes. `name` stands for the picture in messages.
/// Throws Error when the data is neither, too large, truncated or corrupt.
Image decode_image(std::span<const std::uint8_t> bytes, std::string_view name,
                   const DecodeOptions& options = {});

/// Reads and decodes a file. Throws Error, also when it cannot be read.
Image read_image(const std::filesystem::path& path, const DecodeOptions& options = {});

/// Writes an RGB PNG: to a temporary name beside it, synced, then renamed. Throws Error.
void write_png(const std::filesystem::path& path, const Image& image);

/// The picture files (.png, .jpg, .jpeg, in any case) below `directory`, sorted by path.
/// Throws Error when it cannot be read.
std::vector<std::filesystem::path> find_images(const std::filesystem::path& directory);

}  // namespace lamina::data
