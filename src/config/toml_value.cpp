#include "config/toml_value.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <vector>

#include "core/error.h"
#include "core/nearest.h"
#include "core/split.h"
#include "core/text.h"

namespace dfine::inline config {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

/// "a, b" without quotes: a and b.
std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words = split(list, ',');
  for (std::string& word : words) word = trimmed(word);
  return words;
}

/// What somebody who does not know TOML may have meant.
std::vector<ConfigValue> meanings(const std::string& written) {
  std::vector<ConfigValue> all;
  char* end = nullptr;
  const double number = std::strtod(written.c_str(), &end);
  if (end != written.c_str() && *end == '\0' && std::isfinite(number)) {
    if (std::abs(number) < 1e15 && number == std::floor(number))
      all.emplace_back(static_cast<int64_t>(number));
    all.emplace_back(number);
  }
  const std::string word = plain_name(written);
  if (word == "true" || word == "yes" || word == "on") all.emplace_back(true);
  if (word == "false" || word == "no" || word == "off") all.emplace_back(false);
  if (const auto list = parse_value("[" + written + "]")) all.push_back(*list);
  const auto value = parse_value(written);
  const bool is_list = written.size() > 2 && written.front() == '[' && written.back() == ']';
  const bool quoted = value && std::holds_alternative<std::vector<std::string>>(*value);
  if (is_list && !quoted) all.emplace_back(words_of(written.substr(1, written.size() - 2)));
  if (value && std::holds_alternative<std::string>(*value)) {
    if (const auto inner = parse_value(std::get<std::string>(*value))) all.push_back(*inner);
  }
  if (word == "none" || word == "null" || word == "nil") all.emplace_back(std::string());
  if (!is_list) all.emplace_back(written);  // a list is not one text
  return all;
}

}  // namespace

std::optional<ConfigValue> to_value(const toml::node& node) {
  if (const auto* x = node.as_boolean()) return x->get();
  if (const auto* x = node.as_integer()) return x->get();
  if (const auto* x = node.as_floating_point()) return x->get();
  if (const auto* x = node.as_string()) return x->get();
  const auto* list = node.as_array();
  if (!list) return std::nullopt;
  if (list->is_homogeneous<int64_t>()) {
    std::vector<int64_t> values;
    for (const auto& item : *list) values.push_back(item.as_integer()->get());
    return values;
  }
  if (list->is_homogeneous<std::string>()) {
    std::vector<std::string> values;
    for (const auto& item : *list) values.push_back(item.as_string()->get());
    return values;
  }
  std::vector<double> values;  // whole numbers may stand among the others
  for (const auto& item : *list) {
    if (!item.is_number()) return std::nullopt;
    values.push_back(*item.value<double>());
  }
  return values;
}

std::optional<ConfigValue> parse_value(const std::string& text) {
  try {
    const toml::table parsed = toml::parse("v = " + text);
    if (parsed.size() == 1) return to_value(*parsed.get("v"));
  } catch (const toml::parse_error&) {  // not a value: the caller says what was expected
  }
  return std::nullopt;
}

bool is_toml(const std::string& text) {
  try {
    return toml::parse("v = " + text).size() == 1;
  } catch (const toml::parse_error&) {
    return false;
  }
}

bool takes(const ConfigKey& key, const ConfigValue& value) {
  try {
    Config scratch;
    key.set(scratch, value);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string wrong_value(const ConfigKey& key, const std::string& written) {
  const std::string text =
      str_cat(key.name, " cannot be ", written, " (expected: ", key.allowed, ")");
  return text + suggested_value(key, written);
}

std::string suggested_value(const ConfigKey& key, const std::string& written) {
  for (const ConfigValue& meaning : meanings(written))
    if (takes(key, meaning)) return str_cat("; write ", to_toml(meaning));
  return {};
}

std::optional<KeyLine> key_line(const std::string& text, size_t number) {
  static const std::regex table_form(R"(\s*\[\s*([\w.-]+)\s*\]\s*(#.*)?)");
  static const std::regex key_form(R"(\s*([\w.-]+)\s*=\s*(.*))");
  std::istringstream lines(text);
  std::string line, table;
  std::smatch part;
  for (size_t n = 1; std::getline(lines, line) && n < number; ++n)
    if (std::regex_match(line, part, table_form)) table = part[1].str() + ".";
  if (!std::regex_match(line, part, key_form)) return std::nullopt;
  std::string value = part[2];
  const bool quoted = !value.empty() && (value[0] == '"' || value[0] == '\'');
  if (!quoted) value = value.substr(0, value.find('#'));
  return KeyLine{table + part[1].str(), trimmed(value)};
}

}  // namespace dfine::inline config
