#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <string_view>

#include "core/error.h"

namespace lamina {
namespace {

struct Threads {
  std::mutex mutex;
  std::atomic<std::size_t> count{0};  // 0: not decided yet
  std::unique_ptr<tbb::global_control> limit;

  void set(std::size_t threads);
};

// oneTBB starts one thread a CPU unless told otherwise. Only more must be asked for: fewer are a
// matter of the arena, and the application's own use of oneTBB keeps its threads.
void Threads::set(std::size_t threads) {
  const auto cpus = static_cast<std::size_t>(tbb::info::default_concurrency());
  limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                std::max(threads, cpus));
  count.store(threads, std::memory_order_release);
}

// Never destroyed: a detached thread may still run a task while the process exits.
Threads& threads() {
  static auto* instance = new Threads;
  return *instance;
}

std::size_t initial_thread_count() {
  const char* variable = std::getenv("LAMINA_THREADS");
  if (variable == nullptr || *variable == '\0') {
    return std::min(usable_cpus(), kMaxThreads);
  }
  const std::string_view value = variable;
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(value.begin(), value.end(), count);
  check(error == std::errc{} && end == value.end() && count >= 1 && count <= kMaxThreads,
        "LAMINA_THREADS: must be a number from 1 to ", kMaxThreads, ": got '", value, "'");
  return count;
}

}  // namespace

std::size_t thread_count() {
  Threads& state = threads();
  if (const std::size_t count = state.count.load(std::memory_order_acquire)) {
    return count;
  }
  const std::lock_guard lock(state.mutex);
  if (state.count == 0) {
    state.set(initial_thread_count());
  }
  return state.count;
}

void set_thread_count(std::size_t count) {
  check(count >= 1 && count <= kMaxThreads, "threads: must be from 1 to ", kMaxThreads, ": got ",
        count);
  Threads& state = threads();
  const std::lock_guard lock(state.mutex);
  state.set(count);
}

}  // namespace lamina
