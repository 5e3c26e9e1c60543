#pragma once

#include <cstddef>

namespace lamina::fuzz {

/// Counts what the whole program holds from its construction on: operator new, malloc of the
/// libraries below, tensors. One at a time.
class HeapMeter {
 public:
  HeapMeter();
  HeapMeter(const HeapMeter&) = delete;
  HeapMeter& operator=(const HeapMeter&) = delete;

  /// The most bytes that were held at one time beyond those at the beginning.
  std::size_t peak() const;

  /// The most bytes asked for at once.
  std::size_t largest() const;

  /// How often memory was asked for: a measure of work that no other program disturbs.
  std::size_t allocations() const;

 private:
  std::size_t tensors_;
};

}  // namespace lamina::fuzz
