#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace lamina {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

/// A file that appears under its name complete or not at all: written under another name in the
/// same folder, synced to the disk and then renamed. Errors are thrown in the name of `op`.
class AtomicFile {
 public:
  /// Throws Error when the file cannot be created.
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
  std::string op_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  FileHandle file_;
};

}  // namespace lamina
