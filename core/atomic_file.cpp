#include "core/atomic_file.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "core/error.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPermissions = 0777;

// The last name of a chain of symbolic links, whether there is such a file or not.
fs::path follow_links(fs::path path) {
  constexpr int kMostLinks = 40;  // Linux follows no more
  std::error_code ignored;
  for (int i = 0; i < kMostLinks && fs::is_symlink(path, ignored); ++i) {
    path = path.parent_path() / fs::read_symlink(path, ignored);
  }
  return path;
}

fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> count = 0;
  return path.string() + text(".", ::getpid(), "-", count++, ".tmp");
}

}  // namespace

AtomicFile::AtomicFile(std::string_view op, const fs::path& path)
    : op_(op), path_(path), target_(follow_links(path)) {
  const std::optional<mode_t> permissions = permissions_to_keep();
  // As private as the file it replaces from the start.
  int descriptor = -1;
  do {  // a process that was killed may have left a file of this name
    temporary_ = temporary_name(target_);
    descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                        permissions.value_or(0666));
  } while (descriptor < 0 && errno == EEXIST);
  if (descriptor < 0) {
    fail();
  }
  if (!permissions || ::fchmod(descriptor, *permissions) == 0) {
    file_.reset(::fdopen(descriptor, "wb"));
  }
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
      ::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail();
  }
  file_.reset();
}

std::optional<mode_t> AtomicFile::permissions_to_keep() const {
  struct stat old = {};
  const int missing = ::stat(path_.c_str(), &old) == 0 ? 0 : errno;
  check(missing != 0 || S_ISREG(old.st_mode), op_, ": ", path_.string(),
        ": must be a regular file");
  const fs::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  if (::access((folder / ".").c_str(), W_OK | X_OK) != 0) {
    fail("its folder " + folder.string() + ": ");
  }
  if (missing == 0) {
    if (::access(path_.c_str(), W_OK) != 0) {
      fail();
    }
    return old.st_mode & kPermissions;
  }
  if (missing != ENOENT || path_.empty()) {
    errno = missing;
    fail();
  }
  return std::nullopt;
}

void AtomicFile::fail() const { fail(""); }

void AtomicFile::fail(const std::string& what) const {
  const int reason = errno;
  throw Error(text(op_, ": ", path_.string(), ": cannot be written: ", what,
                   std::generic_category().message(reason)));
}

}  // namespace lamina
