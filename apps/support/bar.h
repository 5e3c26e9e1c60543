#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "apps/support/terminal.h"

namespace lamina::apps {

/// What there is to draw on.
struct Canvas {
  Charset charset = Charset::ascii;
  std::optional<std::size_t> columns = {};  ///< of a terminal, where there is one to fit into
};

/// The length of bars there: 20 columns, a quarter of a narrow terminal.
std::size_t bar_columns(const Canvas& canvas);

/// A bar of that many columns, filled from the left to `share` of its length and padded with
/// spaces. Unicode bars have eight steps a column, ASCII bars one. `share` is clamped to [0, 1].
std::string bar(double share, std::size_t columns, Charset charset);

}  // namespace lamina::apps
