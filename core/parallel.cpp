#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <mutex>
#include <pthreadpool.h>
#include <sched.h>
#include <string>
#include <string_view>
#include <thread>

#include "core/error.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

thread_local bool inside_task = false;

struct ClosePool {
  void operator()(pthreadpool_t pool) const { pthreadpool_destroy(pool); }
};
using Pool = std::unique_ptr<pthreadpool, ClosePool>;

struct Threads {
  std::mutex mutex;
  std::atomic<std::size_t> count{0};  // 0: not decided yet
  Pool pool;
};

// Never destroyed: a detached thread may still run a task while the process exits.
Threads& threads() {
  static auto* instance = new Threads;
  return *instance;
}

std::size_t affinity_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    return static_cast<std::size_t>(CPU_COUNT(&set));
  }
  return std::max(1u, std::thread::hardware_concurrency());
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

std::optional<double> read_quota(const fs::path& group) {
  double quota = 0.0;
  double period = 0.0;
  if (std::ifstream v2(group / "cpu.max"); v2 >> quota >> period) {
    return period > 0.0 ? std::optional(quota / period) : std::nullopt;
  }
  std::ifstream v1_quota(group / "cpu.cfs_quota_us");
  std::ifstream v1_period(group / "cpu.cfs_period_us");
  if (v1_quota >> quota && v1_period >> period && quota > 0.0 && period > 0.0) {
    return quota / period;
  }
  return std::nullopt;
}

// Where the groups of one line of /proc/self/cgroup, "id:controllers:path", are mounted.
std::optional<fs::path> mount_of(std::string_view controllers, const fs::path& mount) {
  if (controllers.empty()) {
    return mount;
  }
  const std::string listed = text(',', controllers, ',');
  if (listed.find(",cpu,") == std::string::npos) {
    return std::nullopt;
  }
  std::error_code ignored;
  const fs::path combined = mount / controllers;
  return fs::exists(combined, ignored) ? combined : mount / "cpu";
}

struct Job {
  detail::Task task;
  const void* context;
  std::mutex mutex;
  std::exception_ptr failure;
};

void run_one(Job* job, std::size_t index) {
  const bool outer = std::exchange(inside_task, true);
  try {
    job->task(job->context, index);
  } catch (...) {
    const std::lock_guard lock(job->mutex);
    if (!job->failure) {
      job->failure = std::current_exception();
    }
  }
  inside_task = outer;
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const fs::path& proc_self_cgroup, const fs::path& mount) {
  std::optional<double> smallest;
  std::ifstream file(proc_self_cgroup);
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const auto root = mount_of(std::string_view(line).substr(first + 1, second - first - 1), mount);
    if (!root) {
      continue;
    }
    const auto consider = [&smallest](const fs::path& group) {
      if (const auto quota = read_quota(group)) {
        smallest = std::min(*quota, smallest.value_or(*quota));
      }
    };
    consider(*root);
    fs::path group = *root;
    for (const fs::path& part : fs::path(line.substr(second + 1)).relative_path()) {
      group /= part;
      consider(group);
    }
  }
  return smallest;
}

std::size_t usable_cpus() {
  const std::size_t cpus = affinity_cpus();
  const auto quota = cgroup_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  if (!quota || *quota >= static_cast<double>(cpus)) {
    return cpus;
  }
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(*quota)));
}

std::size_t thread_count() {
  Threads& state = threads();
  if (const std::size_t count = state.count.load(std::memory_order_acquire)) {
    return count;
  }
  const std::lock_guard lock(state.mutex);
  if (state.count == 0) {
    state.count = initial_thread_count();
  }
  return state.count;
}

void set_thread_count(std::size_t count) {
  check(count >= 1 && count <= kMaxThreads, "threads: must be from 1 to ", kMaxThreads, ": got ",
        count);
  Threads& state = threads();
  const std::lock_guard lock(state.mutex);
  if (state.count != count) {
    state.pool.reset();
    state.count.store(count, std::memory_order_release);
  }
}

namespace detail {

void run(std::size_t count, Task task, const void* context) {
  const std::size_t wanted = thread_count();
  if (count <= 1 || wanted == 1 || inside_task) {
    for (std::size_t i = 0; i < count; ++i) {
      task(context, i);
    }
    return;
  }
  Threads& state = threads();
  pthreadpool_t pool = nullptr;
  {
    const std::lock_guard lock(state.mutex);
    if (!state.pool) {
      state.pool.reset(pthreadpool_create(wanted));
      check(state.pool != nullptr, "threads: could not start ", wanted, " threads");
    }
    pool = state.pool.get();
  }
  Job job{task, context, {}, nullptr};
  pthreadpool_parallelize_1d(
      pool, [](void* argument, std::size_t index) { run_one(static_cast<Job*>(argument), index); },
      &job, count, 0);
  if (job.failure) {
    std::rethrow_exception(job.failure);
  }
}

}  // namespace detail
}  // namespace lamina
