#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <string>

#include "core/parallel.h"
#include "tests/support/folder.h"

namespace lamina {
namespace {

// A made-up /proc/self/cgroup and /sys/fs/cgroup.
class Quota : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    test::write_file(root_ / path, text);
  }

  std::optional<double> quota() const { return cgroup_cpu_quota(root_ / "self", root_ / "mount"); }

  const test::Folder root_;
};

TEST_F(Quota, NoneWithoutFiles) { EXPECT_EQ(quota(), std::nullopt); }

TEST_F(Quota, V2) {
  write("self", "0::/user.slice/session\n");
  write("mount/user.slice/session/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(Quota, V2MaxIsNone) {
  write("self", "0::/box\n");
  write("mount/box/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(Quota, V2TakesTheSmallestAlongThePath) {
  write("self", "0::/a/b/c\n");
  write("mount/cpu.max", "max 100000\n");
  write("mount/a/cpu.max", "50000 100000\n");
  write("mount/a/b/cpu.max", "max 100000\n");
  write("mount/a/b/c/cpu.max", "400000 100000\n");
  EXPECT_EQ(quota(), 0.5);
}

// In a container the path may name groups that are not mounted there; its own is the root.
TEST_F(Quota, V2AtTheRootOfAContainer) {
  write("self", "0::/../../elsewhere\n");
  write("mount/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2.0);
}

TEST_F(Quota, V1) {
  write("self", "12:memory:/m\n4:cpu,cpuacct:/docker/box\n1:name=systemd:/s\n");
  write("mount/cpu,cpuacct/docker/box/cpu.cfs_quota_us", "250000\n");
  write("mount/cpu,cpuacct/docker/box/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 2.5);
}

TEST_F(Quota, V1MountedAsCpuAlone) {
  write("self", "4:cpuacct,cpu:/box\n");
  write("mount/cpu/box/cpu.cfs_quota_us", "100000\n");
  write("mount/cpu/box/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(quota(), 2.0);
}

TEST_F(Quota, V1MinusOneIsNone) {
  write("self", "4:cpu:/\n");
  write("mount/cpu/cpu.cfs_quota_us", "-1\n");
  write("mount/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(Quota, V1IgnoresGroupsOfOtherControllers) {
  write("self", "4:cpuset:/box\n5:cpuacct:/box\n");
  write("mount/cpuset/box/cpu.cfs_quota_us", "100000\n");
  write("mount/cpuset/box/cpu.cfs_period_us", "100000\n");
  write("mount/cpu/box/cpu.cfs_quota_us", "100000\n");
  write("mount/cpu/box/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(Quota, V1AndV2TogetherGiveTheSmaller) {
  write("self", "4:cpu:/box\n0::/box\n");
  write("mount/cpu/box/cpu.cfs_quota_us", "300000\n");
  write("mount/cpu/box/cpu.cfs_period_us", "100000\n");
  write("mount/unified/box/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2.0);
}

TEST_F(Quota, NonsenseIsNone) {
  write("self", "no colons\n0::/box\n:\n\n");
  for (const char* nonsense :
       {"", "abc", "100000", "100000 0", "100000 -5", "nan nan", "0 100000", "-100000 100000"}) {
    write("mount/box/cpu.max", nonsense);
    EXPECT_EQ(quota(), std::nullopt) << nonsense;
  }
}

}  // namespace
}  // namespace lamina
