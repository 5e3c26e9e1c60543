#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace lamina {

/// The bytes of a file as the system's page cache holds them: nothing is copied, and processes that
/// map the same file share its memory. They start on a page. The file may be replaced by another of
/// its name, but not be written to or cut short while this lives.
class MappedFile {
 public:
  /// Maps a regular file. Throws Error in the name of `op` when it cannot, or the file has more
  /// than max_bytes.
  MappedFile(std::string_view op, const std::filesystem::path& path, std::size_t max_bytes);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

  /// Maps all pages at once, which is faster than one by one as they are read.
  void populate() const;

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace lamina
