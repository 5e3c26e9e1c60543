#include "tests/fuzz/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

namespace lamina::fuzz {

MemoryFile::MemoryFile()
    : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)), path_(text("/proc/self/fd/", descriptor_)) {
  promise(descriptor_ >= 0, "no file in memory");
}

MemoryFile::~MemoryFile() { ::close(descriptor_); }

void MemoryFile::set(Input bytes) {
  const bool written =
      ::ftruncate(descriptor_, 0) == 0 &&
      ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
  promise(written, "the file in memory cannot be written");
}

}  // namespace lamina::fuzz
