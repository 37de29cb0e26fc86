#pragma once
// The table of configuration keys: their names, descriptions, limits and places in Config. Reading,
// printing and the reference in docs/configuration.md are loops over it.
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "config/config.h"
#include "core/error_code.h"

namespace dfine::inline config {

/// A value as TOML has it.
using ConfigValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>,
                                 std::vector<double>, std::vector<std::string>>;

/// The value in TOML's syntax; numbers so that reading gives the same again.
std::string to_toml(const ConfigValue& value);

struct ConfigKey {
  std::string name;      // "optim.lr"
  std::string allowed;   // type and limits, for people: "number > 0"
  std::string comment;   // meaning, unit, source
  bool is_text = false;  // takes bare text from --set
  /// Stores a value; an Error says what is wrong with it and what would be right.
  std::function<void(Config&, const ConfigValue&)> set;
  std::function<ConfigValue(const Config&)> get;

  std::string table() const { return name.substr(0, name.find('.')); }
  std::string key() const { return name.substr(name.find('.') + 1); }
};

/// All keys, table by table.
std::vector<ConfigKey> config_keys();

/// Combinations that cannot work: each names its keys. `key` is the one to blame first.
struct ConfigConflict {
  std::string key, message;
  ErrorCode code = ErrorCode::kConflictingSettings;  // kMissingKey: only that it must be set
};
std::vector<ConfigConflict> config_conflicts(const Config& config);

}  // namespace dfine::inline config
