// The loops of parallel_for on oneTBB's threads. Its templates are compiled here alone: for
// ThreadSanitizer this file is not instrumented, as oneTBB's library is not, where tasks change
// hands. What the sanitizer cannot see for that reason, it is told.
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <utility>

#include "core/parallel.h"

#ifdef LAMINA_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>

// The sanitizer asks for this by name. Left out is what functions of libc do to oneTBB's own memory
// when oneTBB's library itself calls them, not what it calls tasks for.
extern "C" const char* __tsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
const char* __tsan_default_suppressions() { return "called_from_lib:libtbb.so\n"; }
#endif

namespace lamina::detail {
namespace {

thread_local bool inside_task = false;

// What a loop orders: its caller's work before every task, every task before the caller's further
// work; but no task before another, so that two that touch the same values are found.
class LoopOrder {
 public:
  LoopOrder() { release(&begun_); }
  ~LoopOrder() { acquire(&done_); }
  LoopOrder(const LoopOrder&) = delete;
  LoopOrder& operator=(const LoopOrder&) = delete;

  void begin_task() { acquire(&begun_); }
  void end_task() { release(&done_); }

 private:
#ifdef LAMINA_THREAD_SANITIZER
  static void acquire(char* what) { __tsan_acquire(what); }
  static void release(char* what) { __tsan_release(what); }
#else
  static void acquire(char*) {}
  static void release(char*) {}
#endif

  char begun_ = 0, done_ = 0;  // two addresses: one would order the tasks
};

class InsideTask {
 public:
  explicit InsideTask(LoopOrder& order) : order_(order), outer_(std::exchange(inside_task, true)) {
    order_.begin_task();
  }
  ~InsideTask() {
    order_.end_task();
    inside_task = outer_;
  }
  InsideTask(const InsideTask&) = delete;
  InsideTask& operator=(const InsideTask&) = delete;

 private:
  LoopOrder& order_;
  bool outer_;
};

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

}  // namespace

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
  LoopOrder order;
  const auto one = [task, context, &order](std::size_t index) {
    const InsideTask guard(order);
    task(context, index);
  };
  own_arena(wanted).execute(
      [&] { tbb::parallel_for(std::size_t{0}, count, one, tbb::simple_partitioner(), group); });
}

}  // namespace lamina::detail
