#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>

namespace lamina::nn {

/// Calls update(i) for i < count, and fetches meanwhile what it will read 4 KB later in each of
/// `arrays`: of so many at once the hardware does not see soon enough where they go on.
template <class Update>
void for_each_value(std::size_t count, std::initializer_list<const float*> arrays,
                    const Update& update) {
  constexpr std::size_t kLine = 16;
  constexpr std::size_t kAhead = 1024;
  for (std::size_t begin = 0; begin < count; begin += kLine) {
    for (const float* array : arrays) {
      __builtin_prefetch(array + begin + kAhead);
    }
    const std::size_t end = std::min(count, begin + kLine);
    for (std::size_t i = begin; i < end; ++i) {
      update(i);
    }
  }
}

}  // namespace lamina::nn
