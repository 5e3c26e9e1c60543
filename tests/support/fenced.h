#pragma once

#include <algorithm>
#include <cstddef>
#include <sys/mman.h>

#include "core/error.h"

namespace lamina::test {

/// Floats that end, but for a cache line, at a page that must not be touched.
class Fenced {
 public:
  Fenced(std::size_t floats, float value) {
    constexpr std::size_t kPage = 4096;
    const std::size_t bytes = (floats * sizeof(float) + 63) / 64 * 64;
    const std::size_t pages = (bytes + kPage - 1) / kPage * kPage;
    size_ = pages + kPage;
    memory_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(memory_ != MAP_FAILED, "no memory for ", size_, " bytes");
    check(::mprotect(static_cast<char*>(memory_) + pages, kPage, PROT_NONE) == 0, "no fence");
    data_ = reinterpret_cast<float*>(static_cast<char*>(memory_) + pages - bytes);
    std::fill_n(data_, floats, value);
  }
  ~Fenced() { ::munmap(memory_, size_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  float* data() const { return data_; }

 private:
  void* memory_;
  std::size_t size_;
  float* data_;
};

}  // namespace lamina::test
