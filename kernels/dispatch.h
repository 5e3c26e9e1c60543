#pragma once

#include <span>
#include <string>
#include <string_view>

#include "kernels/table.h"

namespace lamina::kernels {

/// The tables that this CPU and operating system can run, fastest first, the reference last.
std::span<const KernelTable* const> available_kernels();

/// The available table of that name, or null.
const KernelTable* find_kernels(std::string_view isa);

/// The names of the available tables, as "avx512, avx2, sse2, reference".
std::string available_isas();

}  // namespace lamina::kernels
