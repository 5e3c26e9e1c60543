#include "data/file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include "core/error.h"

namespace lamina::data {
namespace {

std::string reason() { return std::generic_category().message(errno); }

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> count = 0;
  return path.string() + text(".", ::getpid(), "-", count++, ".tmp");
}

}  // namespace

std::vector<std::uint8_t> read_file(std::string_view op, const std::filesystem::path& path,
                                    std::size_t max_bytes) {
  constexpr std::size_t kChunk = 1 << 18;
  const FileHandle file(std::fopen(path.c_str(), "rb"));
  check(file != nullptr, op, ": ", path.string(), ": cannot be opened: ", reason());
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  std::vector<std::uint8_t> bytes;
  std::size_t size = 0;
  while (true) {
    bytes.resize(size + std::max(kChunk, size / 2));
    const std::size_t count = std::fread(bytes.data() + size, 1, bytes.size() - size, file.get());
    check(std::ferror(file.get()) == 0, op, ": ", path.string(), ": cannot be read: ", reason());
    size += count;
    check(size <= max_bytes, op, ": ", path.string(), ": has more bytes than the limit, ",
          max_bytes);
    if (count == 0) {
      bytes.resize(size);
      return bytes;
    }
  }
}

AtomicFile::AtomicFile(std::string_view op, const std::filesystem::path& path)
    : op_(op), path_(path), temporary_(temporary_name(path)) {
  const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  file_.reset(descriptor < 0 ? nullptr : ::fdopen(descriptor, "wb"));
  if (file_ == nullptr) {
    fail();
  }
}

AtomicFile::~AtomicFile() {
  if (file_ != nullptr) {
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::commit() {
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0 ||
      ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail();
  }
  file_.reset();
}

void AtomicFile::fail() const {
  throw Error(text(op_, ": ", path_.string(), ": cannot be written: ", reason()));
}

}  // namespace lamina::data
