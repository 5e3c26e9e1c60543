#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// What checkpoint files may ask for at most, whatever they declare. Each is tested, and listed in
/// docs/SECURITY.md.
namespace lamina::models::limits {

/// Bytes of a file.
inline constexpr std::uint64_t kFile = std::uint64_t{1} << 32;

/// Tensors may share or repeat the file's bytes: their float32 values take at most this many times
/// the bytes that they lie in, and a free allowance.
inline constexpr std::uint64_t kGrowth = 8;
inline constexpr std::uint64_t kGrowthFree = std::uint64_t{1} << 16;

/// Bytes of a safetensors header, and how deep its JSON may be nested.
inline constexpr std::uint64_t kSafetensorsHeader = 100'000'000;
inline constexpr std::size_t kSafetensorsDepth = 3;

/// Of a TensorFlow Lite file: bytes, which its offsets must reach, tables, how deep they are
/// nested, a tensor's axes and values.
inline constexpr std::uint64_t kTfliteFile = (std::uint64_t{1} << 31) - 2;
inline constexpr std::uint32_t kTfliteTables = 100'000;
inline constexpr std::uint32_t kTfliteDepth = 8;
inline constexpr std::size_t kTfliteRank = 8;
inline constexpr std::uint64_t kTfliteValues = std::uint64_t{1} << 28;

/// Of an ONNX file: its messages and names; what they take in memory, and constants and weights
/// made of it, as growth does, with an allowance of their own; a tensor's axes.
inline constexpr std::uint64_t kOnnxObjects = std::uint64_t{1} << 22;
inline constexpr std::uint64_t kOnnxGrowth = 32;
inline constexpr std::uint64_t kOnnxFree = std::uint64_t{1} << 24;
inline constexpr std::size_t kOnnxRank = 8;

/// Values of one image between two operations of a network stored as a graph.
inline constexpr std::uint64_t kGraphValues = std::uint64_t{1} << 26;

/// Bytes of a string in that JSON: class names are one.
inline constexpr std::uint64_t kSafetensorsString = 16'000'000;

/// Tensors of a file, bytes of their names, axes as stored; entries of the metadata; files of a
/// checkpoint in several.
inline constexpr std::size_t kTensors = 100'000;
inline constexpr std::size_t kTensorName = 1024;
inline constexpr std::size_t kStoredRank = 64;
inline constexpr std::size_t kMetadata = 10'000;
inline constexpr std::size_t kShards = 1000;

/// A zip archive's entries, the bytes of their names, and how much deflated entries may inflate:
/// one of them, all together against the file, and a free allowance for either.
inline constexpr std::uint64_t kZipEntries = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kZipName = 4096;
inline constexpr std::uint64_t kZipRatio = 64;
inline constexpr std::uint64_t kZipGrowth = 16;
inline constexpr std::uint64_t kZipFree = std::uint64_t{1} << 20;

/// A pickle's bytes, values, open marks, and the bytes of one of its texts.
inline constexpr std::uint64_t kPickle = std::uint64_t{1} << 26;
inline constexpr std::uint64_t kPickleValues = std::uint64_t{1} << 22;
inline constexpr std::size_t kPickleDepth = 1000;
inline constexpr std::uint64_t kPickleText = std::uint64_t{1} << 24;

/// Axes of a PyTorch tensor, dicts around the state dict, and bytes of a text of its metadata.
inline constexpr std::size_t kTorchRank = 16;
inline constexpr std::size_t kTorchNesting = 8;
inline constexpr std::size_t kTorchText = std::size_t{1} << 20;

/// One of the caps above, or of those of pictures and plans.
struct Limit {
  std::string_view name;
  std::uint64_t value;
  std::string_view unit;  ///< "bytes", "values", "times" ...
  std::string_view what;  ///< what may not be more than that
};

/// All of them, in the order of docs/SECURITY.md.
std::span<const Limit> all();

}  // namespace lamina::models::limits
