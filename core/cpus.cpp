#include <algorithm>
#include <cmath>
#include <fstream>
#include <sched.h>
#include <string>
#include <string_view>
#include <thread>

#include "core/error.h"
#include "core/parallel.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

std::size_t affinity_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    return static_cast<std::size_t>(CPU_COUNT(&set));
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

// v2 says "quota period" or "max period" in one file, v1 has a file each and -1 for no quota.
std::optional<double> read_quota(const fs::path& group) {
  double quota = 0.0;
  double period = 0.0;
  if (std::ifstream v2(group / "cpu.max"); v2) {
    v2 >> quota >> period;
  } else {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  return quota > 0.0 && period > 0.0 ? std::optional(quota / period) : std::nullopt;
}

// Where the groups of a line of /proc/self/cgroup, "id:controllers:path", are mounted.
std::optional<fs::path> mount_of(const std::string& controllers, const fs::path& mount) {
  std::error_code ignored;
  if (controllers.empty()) {
    const fs::path beside_v1 = mount / "unified";
    return fs::exists(beside_v1, ignored) ? beside_v1 : mount;
  }
  if (text(',', controllers, ',').find(",cpu,") == std::string::npos) {
    return std::nullopt;
  }
  const fs::path combined = mount / controllers;
  return fs::exists(combined, ignored) ? combined : mount / "cpu";
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const fs::path& proc_self_cgroup, const fs::path& mount) {
  std::optional<double> smallest;
  const auto consider = [&smallest](const fs::path& group) {
    if (const auto quota = read_quota(group)) {
      smallest = std::min(*quota, smallest.value_or(*quota));
    }
  };
  std::ifstream file(proc_self_cgroup);
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const auto root = mount_of(line.substr(first + 1, second - first - 1), mount);
    if (!root) {
      continue;
    }
    fs::path group = *root;
    consider(group);
    for (const fs::path& part : fs::path(line.substr(second + 1)).relative_path()) {
      if (part == "..") {  // a group outside of what this container sees
        break;
      }
      consider(group /= part);
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
  return static_cast<std::size_t>(std::ceil(*quota));
}

}  // namespace lamina
