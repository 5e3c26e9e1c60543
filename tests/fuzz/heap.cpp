#include "tests/fuzz/heap.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <malloc.h>

#include "core/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define LAMINA_FUZZ_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LAMINA_FUZZ_SANITIZED
#endif
#endif

#ifdef LAMINA_FUZZ_SANITIZED
// Of sanitizer/allocator_interface.h, which Debian's gcc lacks.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                              void (*on_free)(const volatile void*));
std::size_t __sanitizer_get_allocated_size(const volatile void* block);
}
#endif

namespace {

std::atomic<std::int64_t> held{0};
std::atomic<std::int64_t> most{0};
std::atomic<std::size_t> largest_block{0};
std::atomic<std::size_t> count{0};

void taken(std::size_t bytes) {
  const std::int64_t now = held += static_cast<std::int64_t>(bytes);
  most = std::max(most.load(), now);
  largest_block = std::max(largest_block.load(), bytes);
  ++count;
}

void given_back(std::size_t bytes) { held -= static_cast<std::int64_t>(bytes); }

}  // namespace

#ifdef LAMINA_FUZZ_SANITIZED
namespace {

void on_malloc(const volatile void*, std::size_t bytes) { taken(bytes); }

void on_free(const volatile void* block) {
  if (block != nullptr) {
    given_back(__sanitizer_get_allocated_size(block));
  }
}

const int kInstalled = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

}  // namespace
#else
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t number, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* block);
}

namespace {

void* counted(void* block) {
  if (block != nullptr) {
    taken(malloc_usable_size(block));
  }
  return block;
}

}  // namespace

// The C library's own, counted: every library of the program calls these.
extern "C" {
void* malloc(std::size_t bytes) noexcept { return counted(__libc_malloc(bytes)); }
void* calloc(std::size_t number, std::size_t bytes) noexcept {
  return counted(__libc_calloc(number, bytes));
}
void* realloc(void* block, std::size_t bytes) noexcept {
  const std::size_t before = block == nullptr ? 0 : malloc_usable_size(block);
  void* moved = __libc_realloc(block, bytes);
  if (moved != nullptr || bytes == 0) {
    given_back(before);
  }
  return counted(moved);
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  return counted(__libc_memalign(alignment, bytes));
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return counted(__libc_memalign(alignment, bytes));
}
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) noexcept {
  *block = counted(__libc_memalign(alignment, bytes));
  return *block == nullptr ? ENOMEM : 0;
}
void free(void* block) noexcept {
  if (block != nullptr) {
    given_back(malloc_usable_size(block));
    __libc_free(block);
  }
}
}
#endif

namespace lamina::fuzz {

HeapMeter::HeapMeter() : tensors_(memory_use().used) {
  held = 0;
  most = 0;
  largest_block = 0;
  count = 0;
}

std::size_t HeapMeter::peak() const {
  const std::size_t tensors = memory_use().used;
  return static_cast<std::size_t>(most.load()) + std::max(tensors, tensors_) - tensors_;
}

std::size_t HeapMeter::largest() const { return largest_block; }
std::size_t HeapMeter::allocations() const { return count; }

}  // namespace lamina::fuzz
