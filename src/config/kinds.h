#pragma once
// What a configuration key can hold: how each kind of value is checked, read and written back. For
// the files that list the keys (keys_*.cpp).
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/keys.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline config {

/// Values of a field of type T.
template <class T>
struct Kind {
  std::string allowed;                                       // see ConfigKey
  std::function<std::optional<T>(const ConfigValue&)> read;  // nothing: not allowed
  std::function<ConfigValue(const T&)> write = [](const T& held) -> ConfigValue { return held; };
  bool is_text = false;  // see ConfigKey
};

/// The keys of one table of the configuration, which `part` holds. Each key is one call.
template <class Part>
class Table {
 public:
  Table(std::string name, Part Config::* part, std::vector<ConfigKey>& keys)
      : name_(std::move(name)), part_(part), keys_(&keys) {}

  template <class T>
  void operator()(const char* key, T Part::* field, const Kind<T>& kind, std::string comment) {
    keys_->push_back({str_cat(name_, ".", key), kind.allowed, std::move(comment), kind.is_text,
                      [part = part_, field, kind](Config& config, const ConfigValue& value) {
                        std::optional<T> taken = kind.read(value);
                        if (!taken)
                          throw Error(ErrorCode::kBadValue, str_cat("cannot be ", to_toml(value)),
                                      "expected: " + kind.allowed);
                        config.*part.*field = std::move(*taken);
                      },
                      [part = part_, field, kind](const Config& config) {
                        return kind.write(config.*part.*field);
                      }});
  }

 private:
  std::string name_;
  Part Config::* part_;
  std::vector<ConfigKey>* keys_;
};

void keys(Table<RunConfig>& v);
void keys(Table<ModelConfig>& v);
void keys(Table<DataConfig>& v);
void keys(Table<AugmentConfig>& v);
void keys(Table<OptimConfig>& v);
void keys(Table<TrainConfig>& v);
void keys(Table<EmaConfig>& v);
void keys(Table<ValidateConfig>& v);
void keys(Table<CheckpointConfig>& v);

/// The value itself if it is a T.
template <class T>
std::optional<T> exactly(const ConfigValue& value) {
  const auto* given = std::get_if<T>(&value);
  return given ? std::optional(*given) : std::nullopt;
}

inline Kind<std::string> text() {
  return {.allowed = "text", .read = exactly<std::string>, .is_text = true};
}

inline Kind<bool> flag() {
  return {.allowed = "true or false", .read = exactly<bool>};
}

inline Kind<int64_t> whole(int64_t least, int64_t most = std::numeric_limits<int64_t>::max()) {
  const bool limited = most < std::numeric_limits<int64_t>::max();
  return {.allowed = limited ? str_cat("whole number from ", least, " to ", most)
                             : str_cat("whole number of at least ", least),
          .read = [=](const ConfigValue& value) {
            const auto given = exactly<int64_t>(value);
            return given && *given >= least && *given <= most ? given : std::nullopt;
          }};
}

/// Range with either end in or out, as its text says.
struct Range {
  const char* text;
  bool (*contains)(double);
};
inline constexpr Range kPositive{"> 0", [](double x) { return x > 0; }};
inline constexpr Range kNotNegative{">= 0", [](double x) { return x >= 0; }};
inline constexpr Range kBelowOne{">= 0 and < 1", [](double x) { return x >= 0 && x < 1; }};

/// A finite number, whole or not; nothing for anything else.
inline std::optional<double> real_number(const ConfigValue& value) {
  if (const auto* real = std::get_if<double>(&value); real && std::isfinite(*real)) return *real;
  if (const auto* given = std::get_if<int64_t>(&value)) return static_cast<double>(*given);
  return std::nullopt;
}

inline Kind<double> number(Range range) {
  return {.allowed = str_cat("number ", range.text), .read = [=](const ConfigValue& value) {
            const auto given = real_number(value);
            return given && range.contains(*given) ? given : std::nullopt;
          }};
}

/// The numbers of a list, whole or not; nothing for anything else.
inline std::optional<std::vector<double>> number_list(const ConfigValue& value) {
  if (const auto* given = std::get_if<std::vector<int64_t>>(&value))
    return std::vector<double>(given->begin(), given->end());
  return exactly<std::vector<double>>(value);
}

/// Two numbers, the lower first.
inline Kind<std::array<double, 2>> interval(Range range) {
  using Ends = std::array<double, 2>;
  return {.allowed = str_cat("[from, to], numbers ", range.text),
          .read = [=](const ConfigValue& value) -> std::optional<Ends> {
            const auto ends = number_list(value);
            const auto inside = [&](double x) { return std::isfinite(x) && range.contains(x); };
            if (!ends || ends->size() != 2 || !std::all_of(ends->begin(), ends->end(), inside) ||
                ends->front() > ends->back())
              return std::nullopt;
            return Ends{ends->front(), ends->back()};
          },
          .write = [](const Ends& ends) -> ConfigValue {
            return std::vector<double>(ends.begin(), ends.end());
          }};
}

/// A list of texts; one alone may stand without its list. Nothing for anything else.
inline std::optional<std::vector<std::string>> text_list(const ConfigValue& value) {
  using Texts = std::vector<std::string>;
  if (const auto* list = std::get_if<Texts>(&value)) return *list;
  if (const auto* single = std::get_if<std::string>(&value)) return Texts{*single};
  const auto* numbers = std::get_if<std::vector<double>>(&value);
  if (numbers && numbers->empty()) return Texts();  // an empty list has no type
  return std::nullopt;
}

/// Names of a set; one alone may stand without its list.
inline Kind<std::vector<std::string>> some_of(std::vector<std::string> names) {
  std::string allowed = "list of";
  for (const std::string& name : names)
    allowed += str_cat(&name == &names.front() ? "" : ",", " \"", name, '"');
  return {.allowed = allowed,
          .read =
              [=](const ConfigValue& value) {
                auto given = text_list(value);
                const auto known = [&](const std::string& name) {
                  return std::ranges::find(names, name) != names.end();
                };
                if (given && !std::ranges::all_of(*given, known)) given.reset();
                return given;
              },
          .is_text = true};
}

/// Regular expressions (ECMAScript); one alone may stand without its list.
inline Kind<std::vector<std::string>> patterns() {
  const std::string allowed = "regular expression, or list of them";
  using Patterns = std::vector<std::string>;
  return {.allowed = allowed,
          .read = [=](const ConfigValue& value) -> std::optional<Patterns> {
            auto given = text_list(value);
            if (!given) return std::nullopt;
            for (const std::string& pattern : *given) {
              try {
                static_cast<void>(std::regex(pattern));
              } catch (const std::regex_error& e) {
                throw Error(ErrorCode::kBadValue,
                            str_cat("holds ", to_toml(pattern),
                                    ", which is no regular expression: ", e.what()),
                            "expected: " + allowed);
              }
            }
            return given;
          },
          .is_text = true};
}

/// A value by name.
template <class T>
Kind<T> choice(std::vector<std::pair<std::string, T>> names) {
  std::string allowed;
  for (size_t i = 0; i < names.size(); ++i)
    allowed += str_cat(i == 0                  ? ""
                       : i + 1 == names.size() ? " or "
                                               : ", ",
                       '"', names[i].first, '"');
  return {.allowed = allowed,
          .read = [=](const ConfigValue& value) -> std::optional<T> {
            for (const auto& [known, meant] : names)
              if (value == ConfigValue(known)) return meant;
            return std::nullopt;
          },
          .write = [=](const T& held) -> ConfigValue {
            for (const auto& [known, meant] : names)
              if (meant == held) return known;
            throw Error(ErrorCode::kInternal, "an enumerator without a name");
          },
          .is_text = true};
}

/// The same values, or "auto", which leaves the field unset.
template <class T>
Kind<std::optional<T>> or_auto(const Kind<T>& kind) {
  std::string others = kind.allowed;
  if (const size_t last = others.rfind(" or "); last != std::string::npos)
    others.replace(last, 4, ", ");
  return {.allowed = others + " or \"auto\"",
          .read = [=](const ConfigValue& value) -> std::optional<std::optional<T>> {
            if (value == ConfigValue("auto")) return std::optional<T>();
            if (auto given = kind.read(value)) return given;
            return std::nullopt;
          },
          .write =
              [=](const std::optional<T>& held) {
                return held ? kind.write(*held) : ConfigValue("auto");
              },
          .is_text = true};
}

/// The same for a key whose "auto" was 0 in earlier versions: 0 is still read as it. `kind` has
/// no 0.
template <class T>
Kind<std::optional<T>> or_auto_once_0(const Kind<T>& kind) {
  Kind<std::optional<T>> all = or_auto(kind);
  all.read = [read = all.read](const ConfigValue& value) -> std::optional<std::optional<T>> {
    const bool zero = value == ConfigValue(int64_t{0}) || value == ConfigValue(T{0});
    return zero ? std::optional(std::optional<T>()) : read(value);
  };
  return all;
}

}  // namespace dfine::inline config
