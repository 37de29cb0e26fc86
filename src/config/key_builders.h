#pragma once
// One row of the key table for each kind of value: how it is checked, stored and read back. For the
// files that list the keys.
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

inline constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

[[noreturn]] inline void refuse(const ConfigValue& value, const std::string& allowed) {
  throw Error(str_cat("cannot be ", to_toml(value)), "expected: " + allowed);
}

template <class Part, class T>
T& member(Config& config, Part Config::* part, T Part::* field) {
  return config.*part.*field;
}
template <class Part, class T>
const T& member(const Config& config, Part Config::* part, T Part::* field) {
  return config.*part.*field;
}

template <class Part>
ConfigKey text(std::string name, Part Config::* part, std::string Part::* field,
               std::string comment) {
  const std::string allowed = "text";
  return {std::move(name),
          allowed,
          std::move(comment),
          true,
          [=](Config& config, const ConfigValue& value) {
            if (!std::holds_alternative<std::string>(value)) refuse(value, allowed);
            member(config, part, field) = std::get<std::string>(value);
          },
          [=](const Config& config) -> ConfigValue { return member(config, part, field); }};
}

template <class Part>
ConfigKey flag(std::string name, Part Config::* part, bool Part::* field, std::string comment) {
  const std::string allowed = "true or false";
  return {std::move(name),
          allowed,
          std::move(comment),
          false,
          [=](Config& config, const ConfigValue& value) {
            if (!std::holds_alternative<bool>(value)) refuse(value, allowed);
            member(config, part, field) = std::get<bool>(value);
          },
          [=](const Config& config) -> ConfigValue { return member(config, part, field); }};
}

template <class Part>
ConfigKey integer(std::string name, Part Config::* part, int64_t Part::* field, int64_t least,
                  int64_t most, std::string comment) {
  const std::string allowed = most == kNoLimit ? str_cat("whole number of at least ", least)
                                               : str_cat("whole number from ", least, " to ", most);
  return {std::move(name),
          allowed,
          std::move(comment),
          false,
          [=](Config& config, const ConfigValue& value) {
            const auto* number = std::get_if<int64_t>(&value);
            if (!number || *number < least || *number > most) refuse(value, allowed);
            member(config, part, field) = *number;
          },
          [=](const Config& config) -> ConfigValue { return member(config, part, field); }};
}

/// Range with either end in or out, as its text says.
struct Range {
  const char* text;
  bool (*contains)(double);
};

/// A finite number, whole or not; nothing for anything else.
inline std::optional<double> real_number(const ConfigValue& value) {
  if (const auto* real = std::get_if<double>(&value); real && std::isfinite(*real)) return *real;
  if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  return std::nullopt;
}

template <class Part>
ConfigKey number(std::string name, Part Config::* part, double Part::* field, Range range,
                 std::string comment) {
  const std::string allowed = str_cat("number ", range.text);
  return {std::move(name),
          allowed,
          std::move(comment),
          false,
          [=](Config& config, const ConfigValue& value) {
            const std::optional<double> x = real_number(value);
            if (!x || !range.contains(*x)) refuse(value, allowed);
            member(config, part, field) = *x;
          },
          [=](const Config& config) -> ConfigValue { return member(config, part, field); }};
}

/// A value that may also be "auto", which leaves the field unset. `check`: what the value means,
/// nothing if it is not allowed.
template <class Part, class T>
ConfigKey or_auto(std::string name, Part Config::* part, std::optional<T> Part::* field,
                  const std::string& allowed_value,
                  std::function<std::optional<T>(const ConfigValue&)> check, std::string comment) {
  const std::string allowed = allowed_value + " or \"auto\"";
  return {std::move(name),
          allowed,
          std::move(comment),
          true,
          [=](Config& config, const ConfigValue& value) {
            const std::optional<T> given = check(value);
            if (!given && value != ConfigValue("auto")) refuse(value, allowed);
            member(config, part, field) = given;
          },
          [=](const Config& config) -> ConfigValue {
            const auto& held = member(config, part, field);
            return held ? ConfigValue(*held) : ConfigValue("auto");
          }};
}

template <class Part>
ConfigKey flag_or_auto(std::string name, Part Config::* part, std::optional<bool> Part::* field,
                       std::string comment) {
  return or_auto<Part, bool>(
      std::move(name), part, field, "true, false",
      [](const ConfigValue& value) {
        const auto* given = std::get_if<bool>(&value);
        return given ? std::optional(*given) : std::nullopt;
      },
      std::move(comment));
}

template <class Part>
ConfigKey integer_or_auto(std::string name, Part Config::* part,
                          std::optional<int64_t> Part::* field, int64_t least,
                          std::string comment) {
  return or_auto<Part, int64_t>(
      std::move(name), part, field, str_cat("whole number of at least ", least),
      [=](const ConfigValue& value) {
        const auto* given = std::get_if<int64_t>(&value);
        return given && *given >= least ? std::optional(*given) : std::nullopt;
      },
      std::move(comment));
}

template <class Part>
ConfigKey number_or_auto(std::string name, Part Config::* part, std::optional<double> Part::* field,
                         Range range, std::string comment) {
  return or_auto<Part, double>(
      std::move(name), part, field, str_cat("number ", range.text),
      [=](const ConfigValue& value) {
        const std::optional<double> given = real_number(value);
        return given && range.contains(*given) ? given : std::nullopt;
      },
      std::move(comment));
}

/// The numbers of a list, whole or not; none of anything else.
inline std::vector<double> number_list(const ConfigValue& value) {
  if (const auto* reals = std::get_if<std::vector<double>>(&value)) return *reals;
  if (const auto* whole = std::get_if<std::vector<int64_t>>(&value))
    return {whole->begin(), whole->end()};
  return {};
}

/// Two numbers, the lower first.
template <class Part>
ConfigKey interval(std::string name, Part Config::* part, std::array<double, 2> Part::* field,
                   Range range, std::string comment) {
  const std::string allowed = str_cat("[from, to], numbers ", range.text);
  return {std::move(name),
          allowed,
          std::move(comment),
          false,
          [=](Config& config, const ConfigValue& value) {
            const std::vector<double> ends = number_list(value);
            const bool inside = std::all_of(ends.begin(), ends.end(), [&](double x) {
              return std::isfinite(x) && range.contains(x);
            });
            if (ends.size() != 2 || !inside || ends[0] > ends[1]) refuse(value, allowed);
            member(config, part, field) = {ends[0], ends[1]};
          },
          [=](const Config& config) -> ConfigValue {
            const auto& ends = member(config, part, field);
            return std::vector<double>(ends.begin(), ends.end());
          }};
}

/// Regular expressions (ECMAScript); one alone may stand without its list.
template <class Part>
ConfigKey pattern_list(std::string name, Part Config::* part,
                       std::vector<std::string> Part::* field, std::string comment) {
  const std::string allowed = "list of regular expressions";
  return {std::move(name),
          allowed,
          std::move(comment),
          false,
          [=](Config& config, const ConfigValue& value) {
            std::vector<std::string> patterns;
            if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
              patterns = *list;
            } else if (const auto* single = std::get_if<std::string>(&value)) {
              patterns = {*single};
            } else if (const auto* numbers = std::get_if<std::vector<double>>(&value);
                       !numbers || !numbers->empty()) {
              refuse(value, allowed);  // an empty list has no type
            }
            for (const std::string& pattern : patterns) {
              try {
                const std::regex compiled(pattern);
              } catch (const std::regex_error& e) {
                throw Error(str_cat("holds ", to_toml(pattern),
                                    ", which is no regular expression: ", e.what()),
                            "expected: " + allowed);
              }
            }
            member(config, part, field) = std::move(patterns);
          },
          [=](const Config& config) -> ConfigValue { return member(config, part, field); }};
}

/// A value by name.
template <class Part, class T>
ConfigKey choice(std::string name, Part Config::* part, T Part::* field,
                 std::vector<std::pair<std::string, T>> names, std::string comment) {
  std::string allowed;
  for (size_t i = 0; i < names.size(); ++i)
    allowed += str_cat(i == 0                  ? ""
                       : i + 1 == names.size() ? " or "
                                               : ", ",
                       '"', names[i].first, '"');
  return {std::move(name),
          allowed,
          std::move(comment),
          true,
          [=](Config& config, const ConfigValue& value) {
            const auto* given = std::get_if<std::string>(&value);
            for (const auto& [known, meant] : names) {
              if (!given || *given != known) continue;
              member(config, part, field) = meant;
              return;
            }
            refuse(value, allowed);
          },
          [=](const Config& config) -> ConfigValue {
            for (const auto& [known, meant] : names)
              if (meant == member(config, part, field)) return known;
            throw Error("an enumerator without a name");
          }};
}

inline constexpr Range kPositive{"> 0", [](double x) { return x > 0; }};
inline constexpr Range kNotNegative{">= 0", [](double x) { return x >= 0; }};
inline constexpr Range kBelowOne{">= 0 and < 1", [](double x) { return x >= 0 && x < 1; }};

}  // namespace dfine::inline config
