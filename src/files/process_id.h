#pragma once
// Which process made something on disk, so that a later one can tell whether that process is gone.
// Host name and pid do not tell it. Containers can share both, and pids are used again.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dfine::inline files {

/// No two processes have the same one. Either `boot` to `start` are set, or `random` alone.
struct ProcessId {
  std::string boot;             // boot of the kernel: 32 hexadecimal digits
  uint64_t pid_namespace = 0;   // inode; `pid` counts within it
  uint64_t time_namespace = 0;  // inode, 0 before Linux 5.6; `start` depends on it
  pid_t pid = 0;
  uint64_t start = 0;  // clock ticks from the boot to the start of the process
  std::string random;  // 16 hexadecimal digits, where /proc lacks one of the others

  bool operator==(const ProcessId&) const = default;
};

/// Of the calling process; a child made by fork() has another one. Where /proc lacks something,
/// each call gives a new one.
ProcessId this_process();

/// At most 100 letters, digits and hyphens: BOOT-PIDNS-TIMENS-PID-START or random-RANDOM.
std::string to_text(const ProcessId& id);
/// Nothing where `text` is not what to_text() gives.
std::optional<ProcessId> parse_process_id(std::string_view text);

/// Whether that process is certainly gone; a zombie is. False where that cannot be known from here:
/// on another host, after a reboot, in another container, for a random one.
bool is_gone(const ProcessId& id);

/// 16 random hexadecimal digits.
std::string random_token();

}  // namespace dfine::inline files
