#pragma once

#include <filesystem>

#include "tests/fuzz/target.h"

namespace lamina::fuzz {

/// A file in memory, for parsers that read paths.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// Replaces what it holds.
  void set(Input bytes);
  const std::filesystem::path& path() const { return path_; }

 private:
  int descriptor_;
  std::filesystem::path path_;
};

}  // namespace lamina::fuzz
