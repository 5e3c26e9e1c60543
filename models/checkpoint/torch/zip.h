#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::models::torch {

/// A file in a zip archive. Its name is text to compare with, never a path.
struct ZipEntry {
  std::string_view name;
  std::span<const std::uint8_t> stored;  ///< its bytes in the archive
  std::uint64_t size = 0;                ///< of its content, bytes
  std::uint32_t crc = 0;                 ///< CRC-32 of its content
  bool is_deflated = false;
};

/// A zip archive in memory, of stored and deflated entries (PKWARE's APPNOTE, zip64 included). What
/// it says twice must agree, and entries must not overlap.
class Zip {
 public:
  /// Reads the directory and every local header, no content. Throws Error, its message begun with
  /// `prefix`.
  Zip(std::span<const std::uint8_t> bytes, std::string prefix);

  /// In order of name.
  const std::vector<ZipEntry>& entries() const { return entries_; }

  /// Null when there is none of that name.
  const ZipEntry* find(std::string_view name) const;

  /// The content of an entry of this archive: its bytes in the archive, or inflated ones, which
  /// live as long as inflated(). The checksum is computed at the first call. Throws Error when it
  /// does not match.
  std::span<const std::uint8_t> read(const ZipEntry& entry);

  /// Keeps what read() inflated.
  std::shared_ptr<const void> inflated() const { return inflated_; }

 private:
  std::string prefix_;
  std::vector<ZipEntry> entries_;
  std::vector<const std::uint8_t*> contents_;  // of entries that were read
  std::shared_ptr<std::vector<std::unique_ptr<std::uint8_t[]>>> inflated_;
};

}  // namespace lamina::models::torch
