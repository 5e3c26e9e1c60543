#pragma once

#include <cstddef>

/// Memory for the values of tensors.
namespace lamina {

/// Large blocks that no tensor uses are kept for the next one of about their size: a fresh block
/// costs a page fault for every page, which a training step of 1 GB would spend a tenth of its time
/// on. A block that many allocations had no use for is returned by itself.
struct MemoryUse {
  std::size_t used;  ///< bytes of large blocks that tensors use
  std::size_t idle;  ///< bytes of those kept
  std::size_t peak;  ///< the most bytes that tensors used at one time
};
MemoryUse memory_use();

/// Returns the idle blocks to the system.
void release_idle_memory();

namespace detail {

/// `bytes` aligned to 64, values not set. Throws std::bad_alloc when memory is short.
float* allocate(std::size_t bytes);
void release(float* block, std::size_t bytes);

/// `bytes` of zeros, the whole pages of 2 MB among them on such pages where the system has them.
float* map_large_pages(std::size_t bytes);
void unmap_large_pages(float* block, std::size_t bytes);

}  // namespace detail
}  // namespace lamina
