#include <algorithm>
#include <atomic>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <pthreadpool.h>
#include <thread>
#include <vector>

#include "core/parallel.h"

// What a parallel loop over a few microseconds of work costs with each thread pool: while the
// machine is idle, while another thread wants a CPU, after a pause, and in CPU time once it is
// over.

namespace {

using Task = std::function<void(std::size_t)>;
using Clock = std::chrono::steady_clock;

template <std::uint32_t kFlags>
class Pthreadpool {
 public:
  explicit Pthreadpool(std::size_t threads) : pool_(pthreadpool_create(threads)) {}
  ~Pthreadpool() { pthreadpool_destroy(pool_); }
  Pthreadpool(const Pthreadpool&) = delete;
  Pthreadpool& operator=(const Pthreadpool&) = delete;

  void loop(std::size_t count, const Task& task) {
    pthreadpool_parallelize_1d(
        pool_, [](void* context, std::size_t i) { (*static_cast<const Task*>(context))(i); },
        const_cast<Task*>(&task), count, kFlags);
  }

 private:
  pthreadpool_t pool_;
};
using PthreadpoolSpin = Pthreadpool<0>;
using PthreadpoolYield = Pthreadpool<PTHREADPOOL_FLAG_YIELD_WORKERS>;

class Tbb {
 public:
  explicit Tbb(std::size_t threads)
      : limit_(tbb::global_control::max_allowed_parallelism, threads),
        arena_(static_cast<int>(threads)) {}

  void loop(std::size_t count, const Task& task) {
    arena_.execute(
        [&] { tbb::parallel_for(std::size_t{0}, count, task, tbb::simple_partitioner()); });
  }

 private:
  tbb::global_control limit_;
  tbb::task_arena arena_;
};

class Lamina {
 public:
  explicit Lamina(std::size_t threads) { lamina::set_thread_count(threads); }
  void loop(std::size_t count, const Task& task) { lamina::parallel_for(count, task); }
};

class OpenMp {
 public:
  explicit OpenMp(std::size_t threads) : threads_(static_cast<int>(threads)) {}

  void loop(std::size_t count, const Task& task) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_)
    for (std::size_t i = 0; i < count; ++i) {
      task(i);
    }
  }

 private:
  int threads_;
};

// A chain of dependent additions: time that neither caches nor another core can shorten.
void work(std::size_t steps) {
  double sum = 0.0;
  for (std::size_t i = 0; i < steps; ++i) {
    benchmark::DoNotOptimize(sum += 1.0);
  }
}

double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

double steps_per_microsecond() {
  static const double rate = [] {
    double best = 0.0;
    for (int i = 0; i < 50; ++i) {
      const auto start = Clock::now();
      work(100000);
      best = std::max(best, 100000 / microseconds(Clock::now() - start));
    }
    return best;
  }();
  return rate;
}

double process_cpu_microseconds() {
  std::timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

// A thread that wants a CPU for itself while it lives.
class Rival {
 public:
  ~Rival() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_{[this] {
    while (!stop_) {
      work(1000);
    }
  }};
};

struct Setting {
  explicit Setting(const benchmark::State& state)
      : threads(static_cast<std::size_t>(state.range(0))),
        tasks(static_cast<std::size_t>(state.range(1))),
        task([steps = static_cast<std::size_t>(static_cast<double>(state.range(2)) *
                                               steps_per_microsecond())](std::size_t) {
          work(steps);
        }) {}
  std::size_t threads, tasks;
  Task task;
};

template <class Pool>
void warm(benchmark::State& state) {
  const Setting setting(state);
  Pool pool(setting.threads);
  for ([[maybe_unused]] auto _ : state) {
    pool.loop(setting.tasks, setting.task);
  }
}

template <class Pool>
void beside_a_busy_thread(benchmark::State& state) {
  const Rival rival;
  warm<Pool>(state);
}

// Every loop starts 5 ms after the last one ended; spin_us is the CPU time spent in that pause.
template <class Pool>
void after_a_pause(benchmark::State& state) {
  const Setting setting(state);
  Pool pool(setting.threads);
  double spinning = 0.0;
  for ([[maybe_unused]] auto _ : state) {
    const auto start = Clock::now();
    pool.loop(setting.tasks, setting.task);
    const auto end = Clock::now();
    state.SetIterationTime(microseconds(end - start) * 1e-6);
    const double used = process_cpu_microseconds();
    std::this_thread::sleep_until(end + std::chrono::milliseconds(5));
    spinning += process_cpu_microseconds() - used;
  }
  state.counters["spin_us"] = benchmark::Counter(spinning, benchmark::Counter::kAvgIterations);
}

void settings(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"threads", "tasks", "us"})->Unit(benchmark::kMicrosecond);
  benchmark->ComputeStatistics("min", [](const std::vector<double>& times) {
    return *std::min_element(times.begin(), times.end());
  });
  const auto cpus = static_cast<std::int64_t>(std::thread::hardware_concurrency());
  for (std::int64_t threads = 2; threads <= cpus; threads = threads < cpus ? cpus : cpus + 1) {
    for (const std::int64_t us : {1, 3, 10}) {
      benchmark->Args({threads, 4 * threads, us});
    }
  }
  benchmark->Args({2 * cpus, 8 * cpus, 3});
}

void warm_settings(benchmark::internal::Benchmark* benchmark) {
  settings(benchmark);
  benchmark->UseRealTime();
}

void pause_settings(benchmark::internal::Benchmark* benchmark) {
  settings(benchmark);
  benchmark->UseManualTime()->Iterations(100);
}

BENCHMARK(warm<PthreadpoolSpin>)->Apply(warm_settings);
BENCHMARK(warm<PthreadpoolYield>)->Apply(warm_settings);
BENCHMARK(warm<OpenMp>)->Apply(warm_settings);
BENCHMARK(warm<Tbb>)->Apply(warm_settings);
BENCHMARK(warm<Lamina>)->Apply(warm_settings);
BENCHMARK(beside_a_busy_thread<PthreadpoolSpin>)->Apply(warm_settings);
BENCHMARK(beside_a_busy_thread<PthreadpoolYield>)->Apply(warm_settings);
BENCHMARK(beside_a_busy_thread<OpenMp>)->Apply(warm_settings);
BENCHMARK(beside_a_busy_thread<Tbb>)->Apply(warm_settings);
BENCHMARK(beside_a_busy_thread<Lamina>)->Apply(warm_settings);
BENCHMARK(after_a_pause<PthreadpoolSpin>)->Apply(pause_settings);
BENCHMARK(after_a_pause<PthreadpoolYield>)->Apply(pause_settings);
BENCHMARK(after_a_pause<OpenMp>)->Apply(pause_settings);
BENCHMARK(after_a_pause<Tbb>)->Apply(pause_settings);
BENCHMARK(after_a_pause<Lamina>)->Apply(pause_settings);

}  // namespace

BENCHMARK_MAIN();
