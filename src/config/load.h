#pragma once
// Configuration files: TOML, one table for each part of Config. With extends = "base.toml" above
// its tables, a file changes another one; the path is relative to the file's own folder.
#include <string>
#include <vector>

#include "config/config.h"

namespace dfine::inline config {

/// Whether keys that a run needs may be left unset: for a configuration that is only looked at.
enum class UnsetKeys { kRefused, kAllowed };

/// Reads `path` (empty: defaults only), then applies `overrides` ("table.key=value", a TOML value;
/// text keys also take bare text) in their order. Paths inside stay as written: they are relative
/// to the current directory. Throws one UsageError that lists all faults, each with file and line
/// or with the --set. Faults are unknown keys, wrong types, values out of range and combinations
/// that cannot work. So are bases that are missing or that extend each other in a circle.
Config load_config(const std::string& path, const std::vector<std::string>& overrides = {},
                   UnsetKeys unset = UnsetKeys::kRefused);

/// The same from text; `name` stands for the file in messages.
Config parse_config(const std::string& text, const std::string& name,
                    const std::vector<std::string>& overrides = {},
                    UnsetKeys unset = UnsetKeys::kRefused);

/// The configuration that a checkpoint was saved with. Keys may have the names that earlier
/// versions had for them (renamed_keys() in config/synonyms.h).
Config parse_saved_config(const std::string& text, const std::string& name);

/// All keys as TOML with their descriptions; loading it again gives the same configuration.
std::string print_config(const Config& config);

/// The key tables of docs/configuration.md (Markdown).
std::string config_reference();

}  // namespace dfine::inline config
