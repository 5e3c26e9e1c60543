#pragma once

#include "apps/support/cpu_name.h"

namespace lamina::benchmarks {

using apps::cpu_name;

}  // namespace lamina::benchmarks
