#pragma once

#include "kernels/table.h"

/// The table of every instruction set that a build may hold. Which ones it does hold is the
/// build's choice; which ones the CPU runs is dispatch's.
namespace lamina::kernels {

namespace avx512 {
extern const KernelTable kTable;
}
namespace avx2 {
extern const KernelTable kTable;
}
namespace sse2 {
extern const KernelTable kTable;
}
namespace neon {
extern const KernelTable kTable;
}

/// The specification: plain loops with double accumulators.
namespace reference {
extern const KernelTable kTable;
}

}  // namespace lamina::kernels
