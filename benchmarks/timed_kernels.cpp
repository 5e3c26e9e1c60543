#include "benchmarks/timed_kernels.h"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace lamina::benchmarks {
namespace {

using kernels::GradientKernels;
using kernels::KernelTable;

std::array<std::atomic<std::int64_t>, kWorks> nanoseconds{};

// One of its own for each kernel, which `Tag` names.
template <class Tag, class Args>
struct Timed {
  static inline void (*kernel)(const Args&) = nullptr;

  static void run(const Args& args) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    kernel(args);
    const std::chrono::nanoseconds elapsed = Clock::now() - start;
    nanoseconds[static_cast<std::size_t>(Tag::kWork)].fetch_add(elapsed.count(),
                                                                std::memory_order_relaxed);
  }
};

template <auto kMember, Work kItsWork>
struct Id {
  static constexpr Work kWork = kItsWork;
};

template <auto kMember, Work kWork, class Table, class Args>
void replace(Table& table, void (*Table::*member)(const Args&)) {
  using Kernel = Timed<Id<kMember, kWork>, Args>;
  Kernel::kernel = table.*member;
  table.*member = Kernel::run;
}

template <auto kMember, Work kWork, class Table>
void time(Table& table) {
  replace<kMember, kWork>(table, kMember);
}

}  // namespace

KernelTable timed_kernels(const KernelTable& table) {
  KernelTable timed = table;
  time<&KernelTable::pack, Work::product>(timed);
  time<&KernelTable::gemm, Work::product>(timed);
  time<&KernelTable::im2col, Work::product>(timed);
  time<&KernelTable::depthwise3x3, Work::product>(timed);
  time<&KernelTable::scale_shift, Work::norm>(timed);
  GradientKernels& gradients = timed.gradients;
  time<&GradientKernels::gemm_tn, Work::weight_gradient>(gradients);
  time<&GradientKernels::depthwise3x3_weight, Work::weight_gradient>(gradients);
  time<&GradientKernels::depthwise3x3_input, Work::input_gradient>(gradients);
  time<&GradientKernels::col2im, Work::input_gradient>(gradients);
  time<&GradientKernels::moments, Work::norm>(gradients);
  time<&GradientKernels::norm_sums, Work::norm>(gradients);
  time<&GradientKernels::norm_input, Work::norm>(gradients);
  return timed;
}

WorkSeconds take_seconds() {
  WorkSeconds seconds{};
  for (std::size_t i = 0; i < kWorks; ++i) {
    seconds[i] = 1e-9 * static_cast<double>(nanoseconds[i].exchange(0));
  }
  return seconds;
}

}  // namespace lamina::benchmarks
