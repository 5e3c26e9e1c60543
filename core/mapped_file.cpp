#include "core/mapped_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "core/error.h"

namespace lamina {
namespace {

std::string reason() { return std::generic_category().message(errno); }

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

MappedFile::MappedFile(std::string_view op, const std::filesystem::path& path,
                       std::size_t max_bytes) {
  // Not blocking: a pipe nobody writes to would be waited for.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  const bool opened = file.number() >= 0 && ::fstat(file.number(), &status) == 0;
  check(opened, op, ": ", path.string(), ": cannot be opened: ", reason());
  check(S_ISREG(status.st_mode), op, ": ", path.string(), ": must be a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  check(size <= max_bytes, op, ": ", path.string(), ": has more bytes than the limit, ", max_bytes);
  if (size == 0) {
    return;
  }
  void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  check(bytes != MAP_FAILED, op, ": ", path.string(), ": cannot be read: ", reason());
  bytes_ = {static_cast<const std::byte*>(bytes), size};
}

void MappedFile::populate() const {
#if defined(MADV_POPULATE_READ)
  // An older kernel refuses; the pages then come one by one.
  ::madvise(const_cast<std::byte*>(bytes_.data()), bytes_.size(), MADV_POPULATE_READ);
#endif
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) {
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
}

}  // namespace lamina
