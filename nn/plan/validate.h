#pragma once

#include <string>

#include "nn/plan/program.h"

namespace lamina::nn {

/// The most floats that a plan's arena, scratch or image may have: 4 GiB.
inline constexpr std::size_t kMaxFloats = std::size_t{1} << 30;

/// Throws Error that begins with `source` unless every step stays inside of the input, the output,
/// the arena, its scratch and the weights, and is one that the kernels take. Fills in the scratch.
void validate(Program& program, const std::string& source);

}  // namespace lamina::nn
