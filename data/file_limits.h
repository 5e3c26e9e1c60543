#pragma once

#include <cstddef>
#include <cstdint>

/// What files of pictures may ask for at most, whatever they declare. docs/SECURITY.md lists them.
namespace lamina::data::limits {

/// Bytes of a picture's file.
inline constexpr std::size_t kPictureFile = std::size_t{1} << 30;

/// Pixels of a picture, unless DecodeOptions says otherwise.
inline constexpr std::size_t kPixels = 100'000'000;

/// Bytes of a PNG's chunk that is no image data: a palette, a profile.
inline constexpr std::size_t kPngChunk = std::size_t{1} << 20;

/// Scans of a progressive JPEG: each is a pass over the whole picture.
inline constexpr int kJpegScans = 200;

/// Blocks to a bit of a JPEG coded arithmetically, where Huffman's code has one at most: its header
/// justifies no more memory.
inline constexpr std::size_t kArithmeticGain = 1024;

/// Values of an IDX file.
inline constexpr std::uint64_t kIdxValues = std::uint64_t{1} << 32;

/// Bytes of one of CIFAR-10's files.
inline constexpr std::size_t kCifarFile = std::size_t{1} << 30;

/// Bytes of the file of CIFAR-10's class names.
inline constexpr std::size_t kCifarNames = std::size_t{1} << 16;

}  // namespace lamina::data::limits
