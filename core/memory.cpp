#include "core/memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <new>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace lamina {
namespace {

constexpr std::size_t kLarge = std::size_t{32} << 10;
constexpr std::size_t kPage = std::size_t{2} << 20;
constexpr std::size_t kSmallPage = std::size_t{64} << 10;  // a multiple of any system's
constexpr std::align_val_t kAlign{64};
#ifdef LAMINA_FORGET_MEMORY
constexpr bool kKeepsMemory = false;  // so that a sanitizer sees every access beyond a tensor
#else
constexpr bool kKeepsMemory = true;
#endif
// After so many large allocations, a few training steps, pages that none of them used are returned.
constexpr std::size_t kMaxAge = 32768;

constexpr std::size_t rounded_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// Addresses on a boundary of large pages, without memory until they are touched; null when there
// are none.
std::byte* reserve(std::size_t bytes) {
  const std::size_t mapping = bytes + kPage;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* mapped = ::mmap(nullptr, mapping, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  if (mapped == MAP_FAILED) {
    return nullptr;
  }
  auto* begin = static_cast<std::byte*>(mapped);
  const std::size_t before = (kPage - reinterpret_cast<std::uintptr_t>(begin) % kPage) % kPage;
  if (before > 0) {
    ::munmap(begin, before);
  }
  if (before < kPage) {
    ::munmap(begin + before + bytes, kPage - before);
  }
  begin += before;
  ::madvise(begin, bytes, MADV_HUGEPAGE);  // a wish: small pages do as well
  return begin;
}

// More than the machine has cannot be in use: larger requests are left to fail elsewhere. Where
// addresses are limited, others need some too.
std::size_t address_space() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  const std::size_t memory = pages > 0 && page > 0
                                 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(page)
                                 : std::size_t{1} << 32;
  rlimit limit{};
  const bool is_limited = ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return is_limited ? std::min<std::size_t>(memory, limit.rlim_cur / 2) : memory;
}

// Large blocks out of one range of addresses, the lowest first, so that free neighbors become one
// block and little lies idle between those in use.
class Blocks {
 public:
  Blocks() {
    const std::size_t memory = kKeepsMemory ? address_space() : 0;
    for (std::size_t bytes = memory; base_ == nullptr && bytes > kLarge; bytes /= 2) {
      bytes = bytes / kPage * kPage;
      base_ = reserve(bytes);
      size_ = base_ == nullptr ? 0 : bytes;
    }
    if (size_ > 0) {
      free_[0] = {.bytes = size_, .touched = 0};
    }
  }

  // Null when no range is long enough.
  float* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    ++allocations_;
    const auto found = std::ranges::find_if(
        free_, [bytes](const auto& range) { return range.second.bytes >= bytes; });
    if (found == free_.end()) {
      return nullptr;
    }
    const auto [offset, range] = *found;
    free_.erase(found);
    const std::size_t touched = std::min(range.touched, bytes);
    use_.idle -= touched;
    if (range.bytes > bytes) {
      free_[offset + bytes] = {.bytes = range.bytes - bytes, .touched = range.touched - touched};
    }
    highest_ = std::max(highest_, offset + bytes);
    use_.used += bytes;
    use_.peak = std::max(use_.peak, use_.used);
    return reinterpret_cast<float*>(base_ + offset);
  }

  bool owns(const float* block) const {
    const auto* address = reinterpret_cast<const std::byte*>(block);
    return address >= base_ && address < base_ + size_;
  }

  void give_back(float* block, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    use_.used -= bytes;
    use_.idle += bytes;
    const auto offset = static_cast<std::size_t>(reinterpret_cast<std::byte*>(block) - base_);
    auto at = free_.emplace(offset, Range{bytes, bytes}).first;
    at = merge(at, std::next(at));
    if (at != free_.begin()) {
      merge(std::prev(at), at);
    }
    if (allocations_ > kMaxAge) {
      return_pages(highest_);
      allocations_ = 0;
      highest_ = 0;
    }
  }

  void release_idle() {
    const std::lock_guard lock(mutex_);
    return_pages(0);
  }

  MemoryUse use() {
    const std::lock_guard lock(mutex_);
    return use_;
  }

 private:
  // A free range. What has pages of memory are its first `touched` bytes at most.
  struct Range {
    std::size_t bytes, touched;
  };
  using Ranges = std::map<std::size_t, Range>;

  Ranges::iterator merge(Ranges::iterator first, Ranges::iterator second) {
    if (second == free_.end() || first->first + first->second.bytes != second->first) {
      return first;
    }
    Range& range = first->second;
    if (second->second.touched > 0) {
      use_.idle += range.bytes - range.touched;
      range.touched = range.bytes + second->second.touched;
    }
    range.bytes += second->second.bytes;
    free_.erase(second);
    return first;
  }

  // Of what is free at `from` and above.
  void return_pages(std::size_t from) {
    for (auto& [offset, range] : free_) {
      const std::size_t keep = std::clamp(from, offset, offset + range.touched) - offset;
      if (keep < range.touched) {
        ::madvise(base_ + offset + keep, range.touched - keep, MADV_DONTNEED);
        use_.idle -= range.touched - keep;
        range.touched = keep;
      }
    }
  }

  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
  std::mutex mutex_;
  Ranges free_;
  std::size_t allocations_ = 0;  // since pages were last returned,
  std::size_t highest_ = 0;      // and the highest end among them
  MemoryUse use_ = {};
};

// Never destroyed: tensors with static lifetime may outlast any order of destruction.
Blocks& blocks() {
  static auto* const kBlocks = new Blocks;
  return *kBlocks;
}

}  // namespace

MemoryUse memory_use() { return blocks().use(); }
void release_idle_memory() { blocks().release_idle(); }

namespace detail {

float* allocate(std::size_t bytes) {
  if (bytes >= kLarge) {
    if (float* block = blocks().take(rounded_up(bytes, kSmallPage))) {
      return block;
    }
  }
  return static_cast<float*>(::operator new(bytes, kAlign));
}

void release(float* block, std::size_t bytes) {
  if (blocks().owns(block)) {
    blocks().give_back(block, rounded_up(bytes, kSmallPage));
  } else {
    ::operator delete(block, kAlign);
  }
}

float* map_large_pages(std::size_t bytes) {
  std::byte* begin = reserve(rounded_up(bytes, kSmallPage));
  if (begin == nullptr) {
    throw std::bad_alloc();
  }
  return reinterpret_cast<float*>(begin);
}

void unmap_large_pages(float* block, std::size_t bytes) {
  ::munmap(block, rounded_up(bytes, kSmallPage));
}

}  // namespace detail
}  // namespace lamina
