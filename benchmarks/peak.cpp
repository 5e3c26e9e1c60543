#include "benchmarks/peak.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace lamina::kernels {
namespace avx512 {
double fma_burst(std::size_t turns, float* result);
}
namespace avx2 {
double fma_burst(std::size_t turns, float* result);
}
namespace sse2 {
double fma_burst(std::size_t turns, float* result);
}
namespace neon {
double fma_burst(std::size_t turns, float* result);
}
}  // namespace lamina::kernels

namespace lamina::benchmarks {
namespace {

using Burst = double (*)(std::size_t, float*);

Burst burst_for(std::string_view isa) {
#if defined(__x86_64__)
  return isa == "avx512" ? kernels::avx512::fma_burst
         : isa == "avx2" ? kernels::avx2::fma_burst
         : isa == "sse2" ? kernels::sse2::fma_burst
                         : nullptr;
#elif defined(__aarch64__)
  return isa == "neon" ? kernels::neon::fma_burst : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace

double fma_peak(std::string_view isa) {
  using Clock = std::chrono::steady_clock;
  const Burst burst = burst_for(isa);
  if (burst == nullptr) {
    return 0.0;
  }
  constexpr std::size_t kTurns = 400'000;
  double best = 0.0;
  for (int i = 0; i < 40; ++i) {
    volatile float sink = 0.0f;
    float total = 0.0f;
    const auto start = Clock::now();
    const double operations = burst(kTurns, &total);
    const std::chrono::duration<double> elapsed = Clock::now() - start;
    sink = total;
    static_cast<void>(sink);
    best = std::max(best, operations / elapsed.count());
  }
  return best;
}

}  // namespace lamina::benchmarks
