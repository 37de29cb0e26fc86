#include "core/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <thread>

namespace dfine {
namespace fs = std::filesystem;
namespace {

/// Cores that one cgroup's folder allows; 0: no limit.
double limit_of(const fs::path& folder) {
  double quota = 0, period = 0;
  // Version 2: "max 100000" or "150000 100000", in microseconds.
  if (std::ifstream both(folder / "cpu.max"); both && both >> quota >> period)
    return period > 0 ? quota / period : 0;
  // Version 1: -1 where there is no limit.
  std::ifstream quota_file(folder / "cpu.cfs_quota_us"), period_file(folder / "cpu.cfs_period_us");
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0)
    return quota / period;
  return 0;
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

double cgroup_quota(const std::string& own_cgroups, const fs::path& root) {
  double least = 0;
  const auto take = [&](const fs::path& folder) {
    const double limit = limit_of(folder);
    if (limit > 0 && (least == 0 || limit < least)) least = limit;
  };
  std::istringstream lines(own_cgroups);
  // "0::/path" (version 2) or "4:cpu,cpuacct:/path" (version 1).
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && ("," + controllers + ",").find(",cpu,") == std::string::npos)
      continue;
    const fs::path mount = controllers.empty() ? root : root / controllers;
    // In a container the path may be one that only the host sees: its own is then the root.
    fs::path own = fs::path(line.substr(second + 1)).relative_path();
    for (; !own.empty(); own = own.parent_path()) take(mount / own);
    take(mount);
  }
  return least;
}

UsableCores usable_cores() {
  UsableCores cores{.count = std::max(1, static_cast<int>(std::thread::hardware_concurrency()))};
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    cores.count = std::max(1, CPU_COUNT(&set));
    constexpr const char* kDigits = "0123456789abcdef";
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu += 4) {
      unsigned digit = 0;
      for (int bit = 0; bit < 4; ++bit) digit |= CPU_ISSET(cpu + bit, &set) ? 1U << bit : 0U;
      cores.binding += kDigits[digit];
    }
    cores.binding.erase(cores.binding.find_last_not_of('0') + 1);
  }
  const double quota = cgroup_quota(read_text("/proc/self/cgroup"), "/sys/fs/cgroup");
  if (quota > 0 && std::ceil(quota) < cores.count) {
    cores.count = static_cast<int>(std::ceil(quota));
    cores.by_quota = true;
  }
  return cores;
}

}  // namespace dfine
