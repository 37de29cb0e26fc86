#pragma once
// How many processor cores this process may use.
#include <filesystem>
#include <string>

namespace dfine {

struct UsableCores {
  int count = 1;  // at least 1
  std::string binding =
      {};                 // which ones, as hexadecimal digits: processes with the same share them
  bool by_quota = false;  // the cgroup's quota is the limit, not the CPU affinity
};

/// By CPU affinity (taskset, mpirun's and Slurm's binding) and the quota of the cgroup and those
/// above it, as containers and Kubernetes set it. Knows cgroup versions 1 and 2. Rounded up to
/// whole cores.
UsableCores usable_cores();

/// The quota alone, in cores, of the cgroups that the text of /proc/self/cgroup names. `root`:
/// where cgroups are mounted, /sys/fs/cgroup. 0: none.
double cgroup_quota(const std::string& own_cgroups, const std::filesystem::path& root);

}  // namespace dfine
