#include "apps/support/bar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace lamina::apps {
namespace {

constexpr std::size_t kMostColumns = 20;
constexpr std::size_t kSteps = 8;
constexpr std::array<std::string_view, kSteps> kPartialBlocks = {"",  "▏", "▎", "▍",
                                                                 "▌", "▋", "▊", "▉"};
constexpr std::string_view kFullBlock = "█";

}  // namespace

std::size_t bar_columns(const Canvas& canvas) {
  return canvas.columns ? std::clamp<std::size_t>(*canvas.columns / 4, 1, kMostColumns)
                        : kMostColumns;
}

std::string bar(double share, std::size_t columns, Charset charset) {
  const double filled = (share > 0.0 ? std::min(share, 1.0) : 0.0) * static_cast<double>(columns);
  if (charset == Charset::ascii) {
    const auto full = static_cast<std::size_t>(std::lround(filled));
    return std::string(full, '#') + std::string(columns - full, ' ');
  }
  const auto steps = static_cast<std::size_t>(std::lround(filled * kSteps));
  const std::size_t full = steps / kSteps;
  const std::string_view partial = kPartialBlocks[steps % kSteps];
  std::string blocks;
  for (std::size_t i = 0; i < full; ++i) {
    blocks += kFullBlock;
  }
  blocks += partial;
  return blocks + std::string(columns - full - (partial.empty() ? 0 : 1), ' ');
}

}  // namespace lamina::apps
