#include "run_report/config_file.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace dfine::inline run_report {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Splits what print_config() writes above a key: "Meaning. Allowed: .... Default: 3."
void read_comment(const std::string& comment, ConfigEntry& entry) {
  const size_t allowed = comment.rfind(" Allowed: ");
  entry.description = comment.substr(0, allowed);
  constexpr std::string_view kDefault = " Default: ";
  const size_t at = comment.rfind(kDefault);
  if (at == std::string::npos) return;
  entry.by_default = comment.substr(at + kDefault.size());
  if (entry.by_default.ends_with('.')) entry.by_default.pop_back();
}

}  // namespace

std::vector<ConfigEntry> config_entries(const std::string& text) {
  std::vector<ConfigEntry> entries;
  std::istringstream in(text);
  std::string line, table, comment;
  while (std::getline(in, line)) {
    line = trimmed(line);
    const size_t equals = line.find('=');
    if (line.starts_with('#')) {
      comment += (comment.empty() ? "" : " ") + trimmed(line.substr(1));
    } else if (line.starts_with('[') && line.ends_with(']')) {
      table = line.substr(1, line.size() - 2) + ".";
      comment.clear();
    } else if (equals != std::string::npos) {
      ConfigEntry& entry = entries.emplace_back(ConfigEntry{
          table + trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)), {}, {}});
      read_comment(comment, entry);
      comment.clear();
    } else {
      comment.clear();
    }
  }
  return entries;
}

std::vector<ConfigEntry> read_config_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return config_entries(text.str());
}

std::string config_text(const std::vector<ConfigEntry>& entries, const std::string& key) {
  const auto found = std::ranges::find(entries, key, &ConfigEntry::key);
  if (found == entries.end()) return {};
  const std::string& value = found->value;
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace dfine::inline run_report
