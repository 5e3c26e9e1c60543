#pragma once

#include <cstddef>
#include <string>

#include "apps/support/terminal.h"

namespace lamina::apps {

/// A bar of that many columns, filled from the left to `share` of its length and padded with
/// spaces. Unicode bars have eight steps a column, ASCII bars one. `share` is clamped to [0, 1].
std::string bar(double share, std::size_t columns, Charset charset);

}  // namespace lamina::apps
