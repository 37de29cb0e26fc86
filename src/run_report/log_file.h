#pragma once
// log.txt of a run folder: what deserves to be read again.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace dfine::inline run_report {

struct LogFile {
  static constexpr size_t kMostWarnings = 200, kLastLines = 30;
  static constexpr size_t kLongestLine = 2000;  // bytes; longer ones are cut

  int64_t warnings = 0;  // lines of level warning or error
  std::vector<std::string> first_warnings;
  std::vector<std::string> last_lines;
};

/// Nothing where it cannot be read.
LogFile read_log_file(const std::filesystem::path& path);

}  // namespace dfine::inline run_report
