#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/atomic_file.h"

namespace lamina::models::torch {

/// Writes a zip archive of stored entries, their content at multiples of 64 bytes.
class ZipWriter {
 public:
  /// Throws Error, as the others do, when the file cannot be written.
  explicit ZipWriter(const std::filesystem::path& path);

  void add(std::string_view name, std::span<const std::uint8_t> content);

  /// Writes the directory and gives the file its name.
  void commit();

 private:
  void write(std::string_view bytes);

  std::filesystem::path path_;
  AtomicFile file_;
  std::string directory_;
  std::uint64_t size_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace lamina::models::torch
