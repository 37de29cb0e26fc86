#include "files/process_id.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <random>
#include <sstream>
#include <vector>

#include "core/text.h"
#include "files/file_id.h"

namespace dfine::inline files {
namespace {

constexpr std::string_view kRandom = "random";

std::string read_all(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_hex(std::string_view text, size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string boot_id() {
  std::string text = read_all("/proc/sys/kernel/random/boot_id");
  std::erase_if(text, [](char c) { return c == '-' || c == '\n'; });
  return is_hex(text, 32) ? text : "";
}

uint64_t inode(const char* path) {
  const auto id = find_file_id(path);
  return id ? id->second : 0;
}

struct Stat {
  char state = 0;
  long threads = 0;
  uint64_t start = 0;
};

/// See proc_pid_stat(5). The name of the program, in parentheses, may hold any character.
std::optional<Stat> read_stat(const std::string& path) {
  const std::string text = read_all(path);
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  constexpr size_t kFirst = 3;  // of `fields`, as the manual counts
  if (fields.size() <= 22 - kFirst) return {};
  return Stat{fields[0][0], std::stol(fields[20 - kFirst]), std::stoull(fields[22 - kFirst])};
}

/// Whether the pids under /proc are those of this process's namespace. They are not where a
/// namespace was made without mounting /proc again. Then NSpid lists the pids of several.
bool proc_is_of_own_namespace() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("NSpid:")) continue;
    std::istringstream pids(line.substr(6));
    return std::distance(std::istream_iterator<pid_t>(pids), {}) == 1;
  }
  return false;
}

template <class Number>
bool parse_number(std::string_view text, Number& value, int base) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

}  // namespace

ProcessId this_process() {
  ProcessId id;
  id.boot = boot_id();
  id.pid_namespace = inode("/proc/self/ns/pid");
  id.time_namespace = inode("/proc/self/ns/time");
  id.pid = ::getpid();
  const auto stat = read_stat("/proc/self/stat");
  if (id.boot.empty() || id.pid_namespace == 0 || !stat) {
    ProcessId unknown;
    unknown.random = random_token();
    return unknown;
  }
  id.start = stat->start;
  return id;
}

std::string to_text(const ProcessId& id) {
  if (id.boot.empty()) return str_cat(kRandom, "-", id.random);
  return str_cat(id.boot, "-", std::hex, id.pid_namespace, "-", id.time_namespace, "-", std::dec,
                 id.pid, "-", id.start);
}

std::optional<ProcessId> parse_process_id(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('-', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  ProcessId id;
  if (parts.size() == 2 && parts[0] == kRandom && is_hex(parts[1], 16)) {
    id.random = parts[1];
    return id;
  }
  if (parts.size() != 5 || !is_hex(parts[0], 32) || !parse_number(parts[1], id.pid_namespace, 16) ||
      !parse_number(parts[2], id.time_namespace, 16) || !parse_number(parts[3], id.pid, 10) ||
      !parse_number(parts[4], id.start, 10) || id.pid <= 0) {
    return {};
  }
  id.boot = parts[0];
  if (to_text(id) != text) return {};  // such as leading zeros
  return id;
}

bool is_gone(const ProcessId& id) {
  const ProcessId self = this_process();
  if (id.boot.empty() || id.pid <= 0 || id.boot != self.boot ||
      id.pid_namespace != self.pid_namespace) {
    return false;
  }
  if (::kill(id.pid, 0) != 0 && errno == ESRCH) return true;
  if (!proc_is_of_own_namespace()) return false;
  const auto stat = read_stat(str_cat("/proc/", id.pid, "/stat"));
  if (!stat) return false;  // hidden (the mount option hidepid), or it ends just now
  // With more threads it is not a zombie: only its first thread has ended.
  const bool zombie = (stat->state == 'Z' || stat->state == 'X') && stat->threads <= 1;
  return zombie || (stat->start != id.start && id.time_namespace == self.time_namespace);
}

std::string random_token() {
  std::random_device source;
  std::ostringstream out;
  for (int i = 0; i < 2; ++i) out << std::hex << std::setfill('0') << std::setw(8) << source();
  return out.str();
}

}  // namespace dfine::inline files
