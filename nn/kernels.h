#pragma once

#include "kernels/table.h"

/// Inside nn only: the one way from ops to kernels. Public headers do not include this.
namespace lamina::nn {

/// The kernels of isa(). Throws Error as isa() does.
const kernels::KernelTable& active_kernels();

}  // namespace lamina::nn
