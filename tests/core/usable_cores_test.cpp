#include "core/usable_cores.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/files.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;

std::vector<int> own_cpus() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

bool bind_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

TEST(UsableCores, AtMostThoseOfTheAffinity) {
  const UsableCores cores = usable_cores();
  EXPECT_GE(cores.count, 1);
  EXPECT_LE(cores.count, static_cast<int>(own_cpus().size()));
  EXPECT_EQ(cores.by_quota, cores.count < static_cast<int>(own_cpus().size()));
}

// As mpirun and Slurm bind ranks.
TEST(UsableCores, OneWhereTheProcessIsBoundToOne) {
  for (const int cpu : own_cpus()) {
    ChildProcess child([&] {
      if (!bind_to(cpu)) return kSkipped;
      const UsableCores cores = usable_cores();
      const std::string binding = std::string(static_cast<size_t>(cpu) / 4, '0') + "1248"[cpu % 4];
      return cores.count == 1 && !cores.by_quota && cores.binding == binding ? 0 : 1;
    });
    const int code = child.wait();
    if (code == kSkipped) GTEST_SKIP() << "this machine does not let a process bind itself";
    EXPECT_EQ(code, 0) << cpu;
  }
}

TEST(UsableCores, FewerWhereTheQuotaIsLess) {
  if (own_cpus().size() < 2) GTEST_SKIP() << "one core cannot become fewer";
  if (read_file("/proc/self/cgroup").find("0::") == std::string::npos)
    GTEST_SKIP() << "without cgroups of version 2";
  ChildProcess child([] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/sys/fs/cgroup", "tmpfs", 0, nullptr) != 0)
      return kSkipped;
    write_file("/sys/fs/cgroup/cpu.max", "20000 100000\n");  // a fifth of a core: rounded up
    const UsableCores cores = usable_cores();
    return cores.count == 1 && cores.by_quota ? 0 : 1;
  });
  const int code = child.wait();
  if (code == kSkipped) GTEST_SKIP() << "only root can lay another folder over /sys/fs/cgroup";
  EXPECT_EQ(code, 0);
}

class CgroupQuotaTest : public testing::Test {
 protected:
  void put(const std::string& file, const std::string& content) const {
    fs::create_directories(fs::path(root_ / file).parent_path());
    write_file(root_ / file, content + "\n");
  }
  double quota(const std::string& own_cgroups) const {
    return cgroup_quota(own_cgroups, root_ / "");
  }
  const TemporaryFolder root_;
};

TEST_F(CgroupQuotaTest, OfVersion2) {
  EXPECT_EQ(quota("0::/a/b\n"), 0);  // no file tells
  put("a/b/cpu.max", "max 100000");
  EXPECT_EQ(quota("0::/a/b\n"), 0);
  put("a/b/cpu.max", "150000 100000");
  EXPECT_EQ(quota("0::/a/b\n"), 1.5);
  EXPECT_EQ(quota("0::/a/b"), 1.5);
  EXPECT_EQ(quota("0::/a\n"), 0);
  EXPECT_EQ(quota("0::/a/b/c\n"), 1.5);  // those above count
  put("a/cpu.max", "400000 200000");
  EXPECT_EQ(quota("0::/a/b\n"), 1.5);  // the least one
  put("a/cpu.max", "50000 100000");
  EXPECT_EQ(quota("0::/a/b\n"), 0.5);
}

// A container may see its own cgroup at the root, under a path that only the host has.
TEST_F(CgroupQuotaTest, OfAContainer) {
  put("cpu.max", "300000 100000");
  EXPECT_EQ(quota("0::/\n"), 3);
  EXPECT_EQ(quota("0::/kubepods/pod1/0123\n"), 3);
}

TEST_F(CgroupQuotaTest, OfVersion1) {
  const std::string own = "5:cpuset:/other\n4:cpu,cpuacct:/job/1\n1:name=systemd:/job/2\n";
  put("cpu,cpuacct/job/1/cpu.cfs_quota_us", "-1");
  put("cpu,cpuacct/job/1/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quota(own), 0);
  put("cpu,cpuacct/job/1/cpu.cfs_quota_us", "250000");
  EXPECT_EQ(quota(own), 2.5);
  put("cpu,cpuacct/job/cpu.cfs_quota_us", "200000");
  put("cpu,cpuacct/job/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quota(own), 2);
  // Of other controllers nothing is read.
  for (const char* folder : {"cpuset/other", "cpuset", "name=systemd/job/2", "job/1", "cpuacct"}) {
    put(std::string(folder) + "/cpu.cfs_quota_us", "1000");
    put(std::string(folder) + "/cpu.cfs_period_us", "100000");
  }
  EXPECT_EQ(quota(own), 2);
}

TEST_F(CgroupQuotaTest, OfBoth) {
  put("unified/cpu.max", "max 100000");
  put("a/cpu.max", "400000 100000");
  put("cpu/b/cpu.cfs_quota_us", "300000");
  put("cpu/b/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quota("3:cpu:/b\n0::/a\n"), 3);
  EXPECT_EQ(quota("0::/a\n3:cpu:/b\n"), 3);
}

TEST_F(CgroupQuotaTest, WhatIsNoLimitIsNone) {
  for (const char* text : {"", "max", "150000", "0 0", "100000 0", "words 7"}) {
    put("a/cpu.max", text);
    EXPECT_EQ(quota("0::/a\n"), 0) << text;
  }
  put("a/cpu.max", "150000 100000");
  for (const char* text : {"", "\n", "0::", "words", "7:"}) EXPECT_EQ(quota(text), 0) << text;
}

}  // namespace
}  // namespace dfine
