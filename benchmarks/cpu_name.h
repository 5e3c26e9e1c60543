#pragma once

#include <string>

namespace lamina::benchmarks {

/// The CPU's name as Linux gives it.
std::string cpu_name();

}  // namespace lamina::benchmarks
