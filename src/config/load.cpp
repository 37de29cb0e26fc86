#include "config/load.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include <toml++/toml.h>

#include "config/keys.h"
#include "config/suggest.h"
#include "config/synonyms.h"
#include "config/toml_value.h"
#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline config {
using enum ErrorCode;

namespace fs = std::filesystem;

namespace {

/// Collects what is wrong, so that one run shows all of it.
class Problems {
 public:
  void add(ErrorCode code, const std::string& where, const std::string& what) {
    if (lines_.empty()) code_ = code;
    lines_.push_back(where + ": " + what);
  }
  /// With the code of the first.
  void throw_if_any() const {
    if (lines_.empty()) return;
    std::string text =
        lines_.size() == 1 ? lines_[0] : str_cat(lines_.size(), " errors in the configuration:");
    if (lines_.size() > 1)
      for (const std::string& line : lines_) text += "\n  " + line;
    throw UsageError(code_, text,
                     "docs/configuration.md and --print-config list every key with its meaning.");
  }

 private:
  ErrorCode code_ = kInternal;
  std::vector<std::string> lines_;
};

/// `text` with line `number` (from 1) empty.
std::string without_line(const std::string& text, size_t number) {
  size_t begin = 0;
  for (size_t n = 1; n < number; ++n) begin = text.find('\n', begin) + 1;
  return text.substr(0, begin) + text.substr(std::min(text.find('\n', begin), text.size()));
}

/// What the key is called now, if an earlier version had this name for it.
std::string current_name(const std::string& name) {
  for (const Synonym& renamed : renamed_keys())
    if (name == renamed.name) return renamed.ours;
  return name;
}

std::string text_of(const std::string& path) {
  const std::string hint = "Relative paths start at the current directory.";
  std::error_code missing;
  if (fs::is_directory(path, missing))
    throw UsageError(kFileUnreadable, str_cat("the configuration ", path, " is a folder"), hint);
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in)
    throw UsageError(read_error_code(errno), str_cat("cannot read the configuration ", path), hint);
  return text;
}

/// Names the file that a configuration changes: `extends = "base.toml"`, above all tables.
constexpr const char* kExtends = "extends";

class Reader {
 public:
  enum class Source { kFiles, kCheckpoint };

  /// A checkpoint's configuration is whole, and may have the names of earlier versions.
  explicit Reader(Source source = Source::kFiles)
      : keys_(config_keys()), saved_(source == Source::kCheckpoint) {}

  void read(const toml::table& root, const std::string& file) {
    if (const auto* base = root.get(kExtends); base && !saved_) extend(*base, file);
    for (const auto& [name, node] : root) {
      if (name == kExtends && !saved_) continue;
      const std::string where = at(file, node);
      const auto* table = node.as_table();
      if (!table || !has_table(name)) {
        problems_.add(kUnknownKey, where,
                      table ? unknown_table(std::string(name)) : unknown(std::string(name)));
        continue;
      }
      for (const auto& [key, value] : *table) {
        set(str_cat(name.str(), ".", key.str()), to_value(value), written(value), at(file, value));
      }
    }
  }

  /// Lines that TOML's parser does not take are reported and read as empty, so that one run shows
  /// what is wrong with the others too.
  void read_text(std::string text, const std::string& file) {
    while (true) {
      try {
        read(toml::parse(text, file), file);
        return;
      } catch (const toml::parse_error& e) {
        const size_t number = e.source().begin.line;
        const auto line = key_line(text, number);
        if (line && !line->value.empty() && !is_toml(line->value)) {
          problems_.add(not_toml_code(*line), str_cat(file, ":", number),
                        not_toml(*line, std::string(e.description())));
          text = without_line(text, number);
        } else {
          problems_.add(kFormatInvalid, str_cat(file, ":", number, ":", e.source().begin.column),
                        str_cat("not TOML: ", e.description()));
          return;
        }
      }
    }
  }

  void override_with(const std::string& argument) {
    const std::string where = "--set " + argument;
    const size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems_.add(kUsage, where, "a setting is TABLE.KEY=VALUE, such as optim.lr=2e-4");
      return;
    }
    if (utf8_text(argument) != argument) {
      problems_.add(kBadValue, where,
                    "is not UTF-8, as a configuration must be: rename the file or folder");
      return;
    }
    const std::string name = argument.substr(0, equals), text = argument.substr(equals + 1);
    const auto* key = find(name);
    if (key && !key->is_text && text.find_first_not_of(" \t") == std::string::npos) {
      problems_.add(kBadValue, where,
                    str_cat("the value of ", name, " is missing (expected: ", key->allowed, ")"));
      return;
    }
    std::optional<ConfigValue> value = parse_value(text);
    // A list of texts is meant as one.
    const bool quoted = value && (std::holds_alternative<std::string>(*value) ||
                                  std::holds_alternative<std::vector<std::string>>(*value));
    const bool bare = key && key->is_text && !quoted && !(value && takes(*key, *value));
    const bool list = text.starts_with('[') && key && takes(*key, std::vector<std::string>{});
    if (bare && !list && (!value || takes(*key, text))) value = text;
    set(name, value, text, where);
  }

  Config finish(UnsetKeys unset) {
    problems_.throw_if_any();  // conflicts between wrong values would only confuse
    for (const ConfigConflict& conflict : config_conflicts(config_)) {
      if (conflict.code == kMissingKey && unset == UnsetKeys::kAllowed) continue;
      const auto place = places_.find(conflict.key);
      problems_.add(conflict.code, place != places_.end() ? place->second : file_,
                    conflict.message);
    }
    problems_.throw_if_any();
    return config_;
  }

  void set_file(const std::string& file) { file_ = file; }

 private:
  static std::string at(const std::string& file, const toml::node& node) {
    return str_cat(file, ":", node.source().begin.line);
  }

  /// Reads the file that `file` changes, whose keys it then overrides.
  void extend(const toml::node& base, const std::string& file) {
    const std::string where = at(file, base);
    if (!base.is_string()) {
      problems_.add(kBadValue, where, wrong_base(written(base)));
      return;
    }
    const std::string path = (fs::path(file).parent_path() / base.as_string()->get()).string();
    extended_.push_back(file);
    const auto is_path = [&](const std::string& reading) {
      std::error_code missing;
      return fs::equivalent(reading, path, missing);
    };
    try {
      if (std::any_of(extended_.begin(), extended_.end(), is_path))
        problems_.add(
            kBadValue, where,
            str_cat("extends ", path, ", which extends this file in turn: take one extends away"));
      else
        read_text(text_of(path), path);
    } catch (const UsageError& e) {
      problems_.add(e.code(), where,
                    str_cat("extends: ", e.message(), "; its path starts at the folder of ", file));
    }
    extended_.pop_back();
  }

  static std::string wrong_base(const std::string& text) {
    const bool word = text.find_first_of("\"'[{,") == std::string::npos && !is_toml(text);
    return str_cat("extends cannot be ", text,
                   " (expected: the path of a configuration file, as text)",
                   word ? str_cat("; write ", to_toml(text)) : "");
  }

  static std::string written(const toml::node& value) {
    std::ostringstream out;
    out << toml::node_view<const toml::node>(value);
    return out.str();
  }

  const ConfigKey* find(const std::string& name) const {
    const auto it = std::find_if(keys_.begin(), keys_.end(),
                                 [&](const ConfigKey& k) { return k.name == name; });
    return it == keys_.end() ? nullptr : &*it;
  }
  bool has_table(std::string_view name) const {
    return std::any_of(keys_.begin(), keys_.end(),
                       [&](const ConfigKey& k) { return k.table() == name; });
  }
  std::string unknown(const std::string& name) const {
    if (name.substr(name.rfind('.') + 1) == kExtends)
      return "extends stands in a configuration file, above its first table";
    if (has_table(name))
      return str_cat(name, " is a table: its keys stand below a line [", name, "]");
    std::vector<std::string> names;
    for (const ConfigKey& key : keys_) names.push_back(key.name);
    if (current_name(name) != name) return str_cat(name, " is now called ", current_name(name));
    const std::string suggestion = suggest(name, names);
    return str_cat("unknown key ", name,
                   suggestion.empty() ? "" : str_cat("; did you mean ", suggestion, "?"));
  }

  /// Of a value of a known key: what the key takes, not what the parser was trying to read.
  std::string not_toml(const KeyLine& line, const std::string& reason) const {
    const bool quoted = line.value[0] == '"' || line.value[0] == '\'';
    const bool backslash = line.value.find('\\') != std::string::npos;
    const auto* key = find(line.key);
    if (quoted)
      return str_cat(line.key, ": not TOML: ", reason,
                     backslash ? "; text with backslashes stands in single quotes" : "");
    if (line.key == kExtends) return wrong_base(line.value);
    if (key) return wrong_value(*key, line.value);
    return str_cat(unknown(line.key), "; its value ", line.value, " is not TOML: ", reason);
  }

  ErrorCode not_toml_code(const KeyLine& line) const {
    if (line.value[0] == '"' || line.value[0] == '\'') return kFormatInvalid;
    return line.key == kExtends || find(line.key) ? kBadValue : kUnknownKey;
  }

  std::string unknown_table(const std::string& name) const {
    std::vector<std::string> tables;
    for (const ConfigKey& key : keys_)
      if (tables.empty() || tables.back() != key.table()) tables.push_back(key.table());
    const std::string suggestion = suggest_table(name, tables);
    return str_cat("unknown table [", name, "]",
                   suggestion.empty() ? "" : str_cat("; did you mean ", suggestion, "?"));
  }

  /// `written`: the value as it stands in the file or on the command line.
  void set(const std::string& given, const std::optional<ConfigValue>& value,
           const std::string& written, const std::string& where) {
    const std::string name = saved_ ? current_name(given) : given;
    const ConfigKey* key = find(name);
    if (!key) {
      problems_.add(kUnknownKey, where, unknown(name));
      return;
    }
    if (!value) {
      problems_.add(kBadValue, where, wrong_value(*key, written));
      return;
    }
    try {
      key->set(config_, *value);
      places_[name] = where;
    } catch (const Error& e) {
      problems_.add(
          e.code(), where,
          str_cat(name, " ", e.message(), " (", e.hint(), ")", suggested_value(*key, written)));
    }
  }

  std::vector<ConfigKey> keys_;
  bool saved_;
  Config config_;
  std::map<std::string, std::string> places_;  // where each key was set last
  std::string file_ = "the defaults";
  std::vector<std::string> extended_;  // the files being read, each extending the next
  Problems problems_;
};

std::string wrapped_comment(const std::string& text) {
  constexpr size_t kWidth = 110;
  std::istringstream words(text);
  std::string out, line = "#", word;
  while (words >> word) {
    if (line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = "#";
    }
    line += " " + word;
  }
  return out + line + "\n";
}

}  // namespace

Config parse_config(const std::string& text, const std::string& name,
                    const std::vector<std::string>& overrides, UnsetKeys unset) {
  Reader reader;
  if (!name.empty()) {
    reader.set_file(name);
    reader.read_text(text, name);
  }
  for (const std::string& argument : overrides) reader.override_with(argument);
  return reader.finish(unset);
}

Config parse_saved_config(const std::string& text, const std::string& name) {
  Reader reader(Reader::Source::kCheckpoint);
  reader.set_file(name);
  reader.read_text(text, name);
  return reader.finish(UnsetKeys::kRefused);
}

Config load_config(const std::string& path, const std::vector<std::string>& overrides,
                   UnsetKeys unset) {
  if (path.empty()) return parse_config("", "", overrides, unset);
  return parse_config(text_of(path), path, overrides, unset);
}

std::string print_config(const Config& config) {
  const Config defaults;
  std::string out, table;
  for (const ConfigKey& key : config_keys()) {
    if (key.table() != table) {
      table = key.table();
      out += str_cat(out.empty() ? "" : "\n", "[", table, "]\n");
    }
    out += wrapped_comment(key.comment);
    out += wrapped_comment(
        str_cat("Allowed: ", key.allowed, ". Default: ", to_toml(key.get(defaults)), "."));
    out += str_cat(key.key(), " = ", to_toml(key.get(config)), "\n");
  }
  return out;
}

std::string config_reference() {
  const Config defaults;
  std::string out, table;
  for (const ConfigKey& key : config_keys()) {
    if (key.table() != table) {
      table = key.table();
      out += str_cat(out.empty() ? "" : "\n", "## [", table,
                     "]\n\n| key | allowed | default | meaning |\n|---|---|---|---|\n");
    }
    out += str_cat("| `", key.name, "` | ", key.allowed, " | `", to_toml(key.get(defaults)), "` | ",
                   key.comment, " |\n");
  }
  return out;
}

}  // namespace dfine::inline config
