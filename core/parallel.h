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

namespace detail {
using Task = void (*)(const void* context, std::size_t index);
void run(std::size_t count, Task task, const void* context);
}  // namespace detail

/// Calls task(i) once for every i < count, on thread_count() threads, and returns when all are
/// done. The caller takes part; a call from inside a task runs serially. Tasks run with the
/// caller's floating-point modes. The first exception that a task throws is rethrown here, and
/// tasks not yet begun are left out. Cut the work by shape, never by thread_count(), so that
/// results have the same bits for any number of threads.
template <class Task>
void parallel_for(std::size_t count, const Task& task) {
  detail::run(
      count,
      [](const void* context, std::size_t index) { (*static_cast<const Task*>(context))(index); },
      std::addressof(task));
}

}  // namespace lamina
