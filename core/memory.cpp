#include "core/memory.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <new>
#include <sys/mman.h>

namespace lamina {
namespace {

constexpr std::size_t kLarge = std::size_t{1} << 20;
constexpr std::size_t kPage = std::size_t{2} << 20;
constexpr std::size_t kSmallPage = std::size_t{64} << 10;  // a multiple of any system's
constexpr std::align_val_t kAlign{64};
// Large allocations after which a block that was not taken again is returned: a few training steps.
constexpr std::uint64_t kMaxAge = 2048;

// Steps of an eighth of a power of two, so that a block serves sizes a little smaller too.
std::size_t block_bytes(std::size_t bytes) {
  std::size_t step = kLarge / 8;
  while (step * 16 <= bytes) {
    step *= 2;
  }
  return (bytes + step - 1) / step * step;
}

class Blocks {
 public:
  float* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    ++allocations_;
    float* block = nullptr;
    if (const auto found = idle_.find(bytes); found != idle_.end()) {
      block = found->second.block;
      idle_.erase(found);
      use_.idle -= bytes;
    } else {
      block = map(bytes);
    }
    use_.used += bytes;
    use_.peak = std::max(use_.peak, use_.used);
    return block;
  }

  void give_back(float* block, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    use_.used -= bytes;
    use_.idle += bytes;
    idle_.emplace(bytes, Idle{block, allocations_});
    if (allocations_ - last_sweep_ > kMaxAge) {
      last_sweep_ = allocations_;
      drop([this](const Idle& idle) { return allocations_ - idle.since > kMaxAge; });
    }
  }

  void release_idle() {
    const std::lock_guard lock(mutex_);
    drop([](const Idle&) { return true; });
  }

  MemoryUse use() {
    const std::lock_guard lock(mutex_);
    return use_;
  }

 private:
  struct Idle {
    float* block;
    std::uint64_t since;
  };

  float* map(std::size_t bytes) {
    try {
      return detail::map_large_pages(bytes);
    } catch (const std::bad_alloc&) {
      drop([](const Idle&) { return true; });
      return detail::map_large_pages(bytes);
    }
  }

  template <class Condition>
  void drop(const Condition& condition) {
    for (auto at = idle_.begin(); at != idle_.end();) {
      if (condition(at->second)) {
        use_.idle -= at->first;
        detail::unmap_large_pages(at->second.block, at->first);
        at = idle_.erase(at);
      } else {
        ++at;
      }
    }
  }

  std::mutex mutex_;
  std::multimap<std::size_t, Idle> idle_;
  std::uint64_t allocations_ = 0, last_sweep_ = 0;
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
  if (bytes < kLarge) {
    return static_cast<float*>(::operator new(bytes, kAlign));
  }
  return blocks().take(block_bytes(bytes));
}

void release(float* block, std::size_t bytes) {
  if (bytes < kLarge) {
    ::operator delete(block, kAlign);
  } else {
    blocks().give_back(block, block_bytes(bytes));
  }
}

float* map_large_pages(std::size_t bytes) {
  const std::size_t mapping = bytes + kPage;
  void* mapped =
      ::mmap(nullptr, mapping, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    throw std::bad_alloc();
  }
  auto* begin = static_cast<std::byte*>(mapped);
  const std::size_t before = (kPage - reinterpret_cast<std::uintptr_t>(begin) % kPage) % kPage;
  const std::size_t end = before + (bytes + kSmallPage - 1) / kSmallPage * kSmallPage;
  if (before > 0) {
    ::munmap(begin, before);
  }
  if (end < mapping) {
    ::munmap(begin + end, mapping - end);
  }
  begin += before;
  ::madvise(begin, bytes / kPage * kPage, MADV_HUGEPAGE);  // a wish: small pages do as well
  return reinterpret_cast<float*>(begin);
}

void unmap_large_pages(float* block, std::size_t bytes) {
  ::munmap(block, (bytes + kSmallPage - 1) / kSmallPage * kSmallPage);
}

}  // namespace detail
}  // namespace lamina
