#include "core/atomic_file.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include "core/error.h"

namespace lamina {
namespace {

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> count = 0;
  return path.string() + text(".", ::getpid(), "-", count++, ".tmp");
}

}  // namespace

AtomicFile::AtomicFile(std::string_view op, const std::filesystem::path& path)
    : op_(op), path_(path), temporary_(temporary_name(path)) {
  const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    fail();
  }
  file_.reset(::fdopen(descriptor, "wb"));
  if (file_ == nullptr) {
    const int reason = errno;
    ::close(descriptor);
    ::unlink(temporary_.c_str());
    errno = reason;
    fail();
  }
}

AtomicFile::~AtomicFile() {
  if (file_ != nullptr) {
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(const void* bytes, std::size_t size) {
  if (size > 0 && std::fwrite(bytes, 1, size, file_.get()) != size) {
    fail();
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
  throw Error(text(op_, ": ", path_.string(),
                   ": cannot be written: ", std::generic_category().message(errno)));
}

}  // namespace lamina
