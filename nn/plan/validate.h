#pragma once

#include <string>

#include "nn/plan/program.h"

namespace lamina::nn {

/// Throws Error that begins with `source` unless every step stays inside of the input, the output,
/// the arena, its scratch and the weights, and is one that the kernels take. Fills in the scratch.
void validate(Program& program, const std::string& source);

}  // namespace lamina::nn
