#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>

namespace lamina {

/// The most threads that may be asked for.
inline constexpr std::size_t kMaxThreads = 1024;

/// Threads that parallel_for uses: the last set_thread_count(), else the environment's
/// LAMINA_THREADS, else usable_cpus(). Throws Error when LAMINA_THREADS is not a number from 1 to
/// kMaxThreads.
std::size_t thread_count();

/// Sets the number of threads for the whole process; not to be called while parallel_for runs.
/// Throws Error unless 1 <= count <= kMaxThreads.
void set_thread_count(std::size_t count);

/// CPUs this process may keep busy: those of its affinity mask, at most its control group's quota
/// (cgroup v1 or v2) rounded up. At least 1.
std::size_t usable_cpus();

/// The CPU quota of the control group that `proc_self_cgroup` names, with the groups mounted below
/// `mount`: quota / period, e.g. 1.5 CPUs; the smallest along the path. Empty when there is none.
std::optional<double> cgroup_cpu_quota(const std::filesystem::path& proc_self_cgroup,
                                       const std::filesystem::path& mount);

/// A program's own threads, for loops that are given them instead of oneTBB's.
class ThreadPool {
 public:
  using Task = void (*)(const void* context, std::size_t index);

  virtual ~ThreadPool() = default;

  /// Threads that run() works on, the caller's included: from 1 to kMaxThreads, always the same.
  virtual std::size_t threads() const = 0;

  /// Calls task(context, i) once for every i < count, on any of its threads, in any order, and
  /// returns when all calls have; what they wrote must then be visible to the caller. One thread is
  /// enough: a task waits for nothing that has not begun. The tasks of plans throw nothing.
  virtual void run(std::size_t count, Task task, const void* context) = 0;
};

namespace detail {
void run(std::size_t count, ThreadPool::Task task, const void* context);

template <class Task>
void call(const void* context, std::size_t index) {
  (*static_cast<const Task*>(context))(index);
}
}  // namespace detail

/// Calls task(i) once for every i < count, on thread_count() threads, and returns when all are
/// done. The caller takes part; a call from inside a task runs serially. Tasks run with the
/// caller's floating-point modes. The first exception that a task throws is rethrown here, and
/// tasks not yet begun are left out. Cut the work by shape, never by thread_count(), so that
/// results have the same bits for any number of threads.
///
/// Threads that have nothing to do go to sleep: once the last loop has returned, each burns at most
/// 5 ms of CPU time looking for more, as a rule 0.15 ms.
template <class Task>
void parallel_for(std::size_t count, const Task& task) {
  detail::run(count, detail::call<Task>, std::addressof(task));
}

/// The same on the threads of `pool`: floating-point modes and exceptions are the pool's affair.
template <class Task>
void parallel_for(ThreadPool& pool, std::size_t count, const Task& task) {
  pool.run(count, detail::call<Task>, std::addressof(task));
}

}  // namespace lamina
