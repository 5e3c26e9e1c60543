#pragma once

#include <cmath>
#include <string_view>

#include "core/error.h"

namespace lamina::nn {

/// Throws Error unless 0 <= value < 1.
inline void check_share(std::string_view op, std::string_view what, double value) {
  check(value >= 0.0 && value < 1.0, op, ": ", what, " must be at least 0 and below 1: got ",
        value);
}

/// Throws Error unless value is above 0 and finite.
inline void check_positive(std::string_view op, std::string_view what, double value) {
  check(value > 0.0 && std::isfinite(value), op, ": ", what, " must be above 0 and finite: got ",
        value);
}

/// Throws Error unless value is at least 0 and finite.
inline void check_not_negative(std::string_view op, std::string_view what, double value) {
  check(value >= 0.0 && std::isfinite(value), op, ": ", what,
        " must be at least 0 and finite: got ", value);
}

}  // namespace lamina::nn
