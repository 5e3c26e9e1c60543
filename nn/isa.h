#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lamina::nn {

/// The instruction sets this CPU can run, fastest first: "avx512", "avx2", "sse2" or "neon", and
/// "reference".
std::vector<std::string> available_isas();

/// The instruction set in use: the last set_isa(), else the environment's LAMINA_ISA, else the
/// fastest. Throws Error when LAMINA_ISA names none of available_isas().
std::string isa();

/// Uses the kernels of that instruction set from now on, in the whole process. Throws Error, with
/// the list of those available, when `name` is none of them.
void set_isa(std::string_view name);

}  // namespace lamina::nn
