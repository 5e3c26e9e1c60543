#pragma once

#include <cstddef>
#include <vector>

#include "core/parallel.h"
#include "nn/ops/blocks.h"

namespace lamina::nn {

/// Values [begin, end) of one of several tensors.
struct Run {
  std::size_t tensor, begin, end;
};

/// Every value of tensors of those sizes, in runs of at most kTaskFloats.
inline std::vector<Run> cut_runs(const std::vector<std::size_t>& sizes) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    for (std::size_t begin = 0; begin < sizes[i]; begin += kTaskFloats) {
      runs.push_back({i, begin, std::min(sizes[i], begin + kTaskFloats)});
    }
  }
  return runs;
}

}  // namespace lamina::nn
