#pragma once
// config.toml of a run folder, as text: that of another version is shown too.
#include <filesystem>
#include <string>
#include <vector>

namespace dfine::inline run_report {

struct ConfigEntry {
  std::string key;          // "optim.lr"
  std::string value;        // in TOML's syntax
  std::string by_default;   // as the comment above it says; empty: not said
  std::string description;  // the comment without what is allowed

  bool changed() const { return !by_default.empty() && value != by_default; }
};

/// The keys in order of the file; nothing where it cannot be read.
std::vector<ConfigEntry> read_config_file(const std::filesystem::path& path);
std::vector<ConfigEntry> config_entries(const std::string& text);

/// The text of a key's value without quotes; empty where there is none.
std::string config_text(const std::vector<ConfigEntry>& entries, const std::string& key);

}  // namespace dfine::inline run_report
