#include "run_report/log_file.h"

#include <deque>
#include <fstream>

namespace dfine::inline run_report {
namespace {

/// "2026-11-30 04:03:15 W [rank 0] ...": a letter for the level after the time.
bool is_warning(const std::string& line) {
  constexpr size_t kLevel = 20;
  return line.size() > kLevel + 1 && line[kLevel - 1] == ' ' && line[kLevel + 1] == ' ' &&
         (line[kLevel] == 'W' || line[kLevel] == 'E' || line[kLevel] == 'C');
}

}  // namespace

LogFile read_log_file(const std::filesystem::path& path) {
  LogFile log;
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return log;  // a device may have no end
  std::ifstream in(path, std::ios::binary);
  std::deque<std::string> last;
  std::string line;
  while (std::getline(in, line)) {
    if (line.size() > LogFile::kLongestLine) line = line.substr(0, LogFile::kLongestLine) + " ...";
    if (is_warning(line) && ++log.warnings <= static_cast<int64_t>(LogFile::kMostWarnings))
      log.first_warnings.push_back(line);
    last.push_back(line);
    if (last.size() > LogFile::kLastLines) last.pop_front();
  }
  log.last_lines.assign(last.begin(), last.end());
  return log;
}

}  // namespace dfine::inline run_report
