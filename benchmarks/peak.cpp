#include "benchmarks/peak.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <functional>
#include <thread>
#include <unistd.h>
#include <vector>

#include "core/tensor.h"

namespace lamina::kernels {
namespace avx512 {
double fma_burst(std::size_t turns, float* result);
double read_burst(const float* values, std::size_t count, std::size_t turns, float* result);
}  // namespace avx512
namespace avx2 {
double fma_burst(std::size_t turns, float* result);
double read_burst(const float* values, std::size_t count, std::size_t turns, float* result);
}  // namespace avx2
namespace sse2 {
double fma_burst(std::size_t turns, float* result);
double read_burst(const float* values, std::size_t count, std::size_t turns, float* result);
}  // namespace sse2
namespace neon {
double fma_burst(std::size_t turns, float* result);
double read_burst(const float* values, std::size_t count, std::size_t turns, float* result);
}  // namespace neon
}  // namespace lamina::kernels

namespace lamina::benchmarks {
namespace {

struct Bursts {
  double (*fma)(std::size_t turns, float* result) = nullptr;
  double (*read)(const float* values, std::size_t count, std::size_t turns,
                 float* result) = nullptr;
};

Bursts bursts_for(std::string_view isa) {
#if defined(__x86_64__)
  if (isa == "avx512") {
    return {kernels::avx512::fma_burst, kernels::avx512::read_burst};
  }
  if (isa == "avx2") {
    return {kernels::avx2::fma_burst, kernels::avx2::read_burst};
  }
  if (isa == "sse2") {
    return {kernels::sse2::fma_burst, kernels::sse2::read_burst};
  }
#elif defined(__aarch64__)
  if (isa == "neon") {
    return {kernels::neon::fma_burst, kernels::neon::read_burst};
  }
#endif
  return {};
}

using Clock = std::chrono::steady_clock;
using Burst = std::function<double(std::size_t thread, float* result)>;

// The most work a second that `threads` bursts at once have done in a round; a round lasts from
// the first burst's begin to the last one's end.
double best_rate(std::size_t threads, int rounds, const Burst& burst) {
  struct Round {
    Clock::time_point begin, end;
    double work;
  };
  std::vector<std::vector<Round>> results(threads);
  std::barrier start(static_cast<std::ptrdiff_t>(threads));
  const auto run = [&](std::size_t thread) {
    volatile float sink = 0.0f;
    for (int i = 0; i < rounds; ++i) {
      start.arrive_and_wait();
      float total = 0.0f;
      const auto begin = Clock::now();
      const double work = burst(thread, &total);
      results[thread].push_back({begin, Clock::now(), work});
      sink = total;
    }
    static_cast<void>(sink);
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) {
      others.emplace_back(run, i);
    }
    run(0);
  }
  double best = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rounds); ++i) {
    Round whole = results[0][i];
    for (std::size_t thread = 1; thread < threads; ++thread) {
      whole.begin = std::min(whole.begin, results[thread][i].begin);
      whole.end = std::max(whole.end, results[thread][i].end);
      whole.work += results[thread][i].work;
    }
    best =
        std::max(best, whole.work / std::chrono::duration<double>(whole.end - whole.begin).count());
  }
  return best;
}

}  // namespace

double fma_peak(std::string_view isa, std::size_t threads) {
  constexpr std::size_t kTurns = 400'000;
  const Bursts bursts = bursts_for(isa);
  if (bursts.fma == nullptr) {
    return 0.0;
  }
  return best_rate(threads, 200,
                   [&](std::size_t, float* result) { return bursts.fma(kTurns, result); });
}

double read_bandwidth(std::string_view isa, std::size_t bytes, std::size_t threads) {
  constexpr std::size_t kBytesInBurst = 50'000'000;
  bytes = bytes / 4096 * 4096;
  const Bursts bursts = bursts_for(isa);
  if (bursts.read == nullptr) {
    return 0.0;
  }
  std::vector<Tensor> buffers;
  for (std::size_t i = 0; i < threads; ++i) {
    buffers.push_back(Tensor::on_large_pages({bytes / sizeof(float)}));
    std::ranges::fill(buffers.back().values(), 1.0f);  // untouched pages would all be one of zeros
  }
  const std::size_t turns = std::max<std::size_t>(1, kBytesInBurst / bytes);
  const int rounds = bytes > kBytesInBurst ? 10 : 100;
  return best_rate(threads, rounds, [&](std::size_t thread, float* result) {
    const Tensor& buffer = buffers[thread];
    return bursts.read(buffer.data(), buffer.size(), turns, result);
  });
}

ReadSizes read_sizes() {
  const auto cache = [](int name, std::size_t otherwise) {
    const long bytes = ::sysconf(name);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : otherwise;
  };
  const std::size_t l1 = cache(_SC_LEVEL1_DCACHE_SIZE, std::size_t{32} << 10);
  const std::size_t l2 = cache(_SC_LEVEL2_CACHE_SIZE, std::size_t{512} << 10);
  // Virtual machines give the sum over all sockets as the size of L3: go by L2 instead.
  return {.l1 = l1 / 2, .l2 = l2 / 2, .l3 = 6 * l2, .dram = std::size_t{1} << 30};
}

}  // namespace lamina::benchmarks
