#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace lamina {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

/// A file that appears under its name complete or not at all: written under another name in the
/// same folder, synced to the disk and then renamed. Replaces a file only where it might be written
/// to, and keeps its permissions; of symbolic links, replaces or creates what they lead to. Errors
/// are thrown in the name of `op`.
class AtomicFile {
 public:
  /// Throws Error when the file cannot be created or replaced: also when the name is a folder's, a
  /// device's or a pipe's.
  AtomicFile(std::string_view op, const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Removes what was written, unless committed.
  ~AtomicFile();

  /// Throws Error when not all of it could be written.
  void write(const void* bytes, std::size_t size);

  std::FILE* stream() const { return file_.get(); }

  /// Gives the file its name. Throws Error when something could not be written.
  void commit();

  /// Throws Error with the reason that errno holds.
  [[noreturn]] void fail() const;

 private:
  std::optional<mode_t> permissions_to_keep() const;
  [[noreturn]] void fail(const std::string& what) const;

  std::string op_;
  std::filesystem::path path_;
  std::filesystem::path target_;  // where path_ leads
  std::filesystem::path temporary_;
  FileHandle file_;
};

}  // namespace lamina
