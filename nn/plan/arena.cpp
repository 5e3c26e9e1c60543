#include "nn/plan/arena.h"

#include <algorithm>
#include <numeric>

namespace lamina::nn {
namespace {

constexpr std::size_t kAlignFloats = 16;

std::size_t aligned(std::size_t floats) {
  return (floats + kAlignFloats - 1) / kAlignFloats * kAlignFloats;
}

bool meet(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

std::vector<std::size_t> plan_arena(const std::vector<Lifetime>& lifetimes, std::size_t& total) {
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return lifetimes[a].floats > lifetimes[b].floats;
  });
  std::vector<std::size_t> offsets(lifetimes.size(), 0);
  std::vector<std::size_t> placed;  // by offset
  total = 0;
  for (const std::size_t value : order) {
    if (!lifetimes[value].used) {
      continue;
    }
    const std::size_t size = aligned(lifetimes[value].floats);
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      if (meet(lifetimes[value], lifetimes[other])) {
        if (offset + size <= offsets[other]) {
          break;
        }
        offset = std::max(offset, offsets[other] + aligned(lifetimes[other].floats));
      }
    }
    offsets[value] = offset;
    total = std::max(total, offset + size);
    const auto after = [&](std::size_t o, std::size_t other) { return o < offsets[other]; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset, after), value);
  }
  return offsets;
}

}  // namespace lamina::nn
