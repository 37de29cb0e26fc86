#pragma once
// Values of keys between TOML and the key table, and what to say about one that is neither.
#include <toml++/toml.h>
#include <cstddef>
#include <optional>
#include <string>

#include "config/keys.h"

namespace dfine::inline config {

/// Nothing for what no key takes: a table, a date, a list of mixed kinds.
std::optional<ConfigValue> to_value(const toml::node& node);

/// `text` as TOML's parser reads it behind "key = "; nothing when it is not one value.
std::optional<ConfigValue> parse_value(const std::string& text);

/// Whether TOML has such a value, of whatever kind.
bool is_toml(const std::string& text);

/// Whether the key takes such a value.
bool takes(const ConfigKey& key, const ConfigValue& value);

/// "optim.lr cannot be fast (expected: number > 0)": what was written and what the key takes. Where
/// the meaning is plain (text without quotes, .1, True, a list without brackets), also how to write
/// it.
std::string wrong_value(const ConfigKey& key, const std::string& written);

/// "; write 0.1": how to write what was most probably meant; empty if that is not plain.
std::string suggested_value(const ConfigKey& key, const std::string& written);

/// "key = value" on one line of a file, with the table it stands in.
struct KeyLine {
  std::string key;    // "optim.lr"
  std::string value;  // without a comment
};

/// Line `number` (from 1) of `text`; nothing when it has another form.
std::optional<KeyLine> key_line(const std::string& text, size_t number);

}  // namespace dfine::inline config
