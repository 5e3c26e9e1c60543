#include "nn/ops/block_sums.h"

#include <algorithm>
#include <array>

namespace lamina::nn {
namespace {

// Enough blocks to share among threads; together they stay in a core's L2.
constexpr std::size_t kMaxBlocks = 64;
constexpr std::size_t kMaxFloats = 256 * 1024;

}  // namespace

BlockedSum::BlockedSum(std::size_t unit_count, std::size_t float_count)
    : units(unit_count), floats(float_count) {
  const std::size_t limit =
      std::clamp<std::size_t>(kMaxFloats / std::max<std::size_t>(1, floats), 1, kMaxBlocks);
  units_per_block = std::max<std::size_t>(1, divide_up(units, limit));
  blocks = std::max<std::size_t>(1, divide_up(units, units_per_block));
}

void combine(const float* from, std::size_t blocks, std::size_t floats, float* to) {
  constexpr std::size_t kRun = 512;
  parallel_blocks(floats, kRun, [&](std::size_t begin, std::size_t end) {
    std::array<double, kRun> sums{};
    for (std::size_t block = 0; block < blocks; ++block) {
      const float* terms = from + block * floats;
      for (std::size_t i = begin; i < end; ++i) {
        sums[i - begin] += double{terms[i]};
      }
    }
    for (std::size_t i = begin; i < end; ++i) {
      to[i] = static_cast<float>(sums[i - begin]);
    }
  });
}

void fill_zero(Tensor& tensor) {
  float* values = tensor.data();
  parallel_blocks(tensor.size(), kTaskFloats, [&](std::size_t begin, std::size_t end) {
    std::fill(values + begin, values + end, 0.0f);
  });
}

}  // namespace lamina::nn
