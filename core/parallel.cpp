#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace lamina {
namespace {

thread_local bool inside_task = false;

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

// An arena for each thread that calls: while it waits, it never runs the tasks of another caller.
tbb::task_arena& own_arena(std::size_t count) {
  thread_local tbb::task_arena arena;
  const int wanted = static_cast<int>(count);
  if (!arena.is_active() || arena.max_concurrency() != wanted) {
    arena.terminate();
    arena.initialize(wanted);
  }
  return arena;
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

class InsideTask {
 public:
  InsideTask() : outer_(std::exchange(inside_task, true)) {}
  ~InsideTask() { inside_task = outer_; }
  InsideTask(const InsideTask&) = delete;
  InsideTask& operator=(const InsideTask&) = delete;

 private:
  bool outer_;
};

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

namespace detail {

void run(std::size_t count, ThreadPool::Task task, const void* context) {
  const std::size_t wanted = thread_count();
  if (count <= 1 || wanted == 1 || inside_task) {
    for (std::size_t i = 0; i < count; ++i) {
      task(context, i);
    }
    return;
  }
  // Workers take over the caller's rounding and denormal modes: the same bits on every thread.
  using Group = tbb::task_group_context;
  Group group(Group::isolated, Group::default_traits | Group::fp_settings);
  const auto one = [task, context](std::size_t index) {
    const InsideTask guard;
    task(context, index);
  };
  own_arena(wanted).execute(
      [&] { tbb::parallel_for(std::size_t{0}, count, one, tbb::simple_partitioner(), group); });
}

}  // namespace detail
}  // namespace lamina
