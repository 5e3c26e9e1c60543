#pragma once

#include <cstddef>

/// Memory for the values of tensors.
namespace lamina {

/// Memory of large tensors, 32 KB and more, is kept for the next ones when they are gone: fresh
/// memory costs a page fault for every page, which a training step of 1 GB would spend a tenth of
/// its time on. What many allocations had no use for is returned by itself.
struct MemoryUse {
  std::size_t used;  ///< bytes of large tensors
  std::size_t idle;  ///< bytes kept
  std::size_t peak;  ///< the most bytes of large tensors at one time
};
MemoryUse memory_use();

/// Returns the memory that is kept to the system.
void release_idle_memory();

namespace detail {

/// `bytes` aligned to 64, values not set. Throws std::bad_alloc when memory is short.
float* allocate(std::size_t bytes);
void release(float* block, std::size_t bytes);

/// `bytes` of zeros on pages of 2 MB where the system has them.
float* map_large_pages(std::size_t bytes);
void unmap_large_pages(float* block, std::size_t bytes);

}  // namespace detail
}  // namespace lamina
