#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "nn/plan/program.h"

namespace lamina::nn {

/// A program's shapes, steps, names and metadata as bytes: numbers of 8 bytes, little-endian, and
/// texts after their length.
std::vector<std::byte> encode(const Program& program);

/// Reads what encode() wrote into `program`, checking only that it is all there. Throws Error that
/// begins with `source`.
void decode(std::span<const std::byte> bytes, const std::string& source, Program& program);

}  // namespace lamina::nn
