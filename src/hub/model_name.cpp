#include "hub/model_name.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>

namespace dfine::inline hub {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool of(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [&](char c) {
    return is_letter_or_digit(c) || others.find(c) != std::string_view::npos;
  });
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The Hub's rule for each half of ORG/NAME. It has letters, digits, `-`, `_` and `.`, but no `--`,
/// no `..`, and neither `-` nor `.` at an end.
bool is_name(std::string_view name) {
  constexpr size_t kLongest = 96;
  if (name.empty() || name.size() > kLongest || !of(name, "-_.")) return false;
  const std::string_view ends = "-.";
  return !contains(ends, name.substr(0, 1)) && !contains(ends, name.substr(name.size() - 1)) &&
         !contains(name, "--") && !contains(name, "..");
}

/// A name of git's that is also a harmless relative path: the cache has a file of this name.
bool is_revision(std::string_view text) {
  constexpr size_t kLongest = 200;
  return !text.empty() && text.size() <= kLongest && of(text, "-_./+") && text.front() != '/' &&
         text.front() != '.' && text.front() != '-' && text.back() != '/' && text.back() != '.' &&
         !contains(text, "..") && !contains(text, "//") && !contains(text, "/.");
}

}  // namespace

std::string to_text(const ModelName& name) {
  return name.revision == "main" ? name.repository : name.repository + "@" + name.revision;
}

std::optional<ModelName> parse_model_name(std::string_view text) {
  ModelName name;
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    name.revision = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || !is_name(text.substr(0, slash)) ||
      !is_name(text.substr(slash + 1)) || !is_revision(name.revision))
    return std::nullopt;
  name.repository = text;
  return name;
}

bool is_commit(std::string_view revision) {
  return revision.size() == 40 && std::ranges::all_of(revision, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_path(const std::string& value) {
  if (value.starts_with('.') || value.starts_with('/') || value.starts_with('~')) return true;
  std::error_code ignored;  // such as a name that is too long
  const auto status = std::filesystem::symlink_status(value, ignored);
  return std::filesystem::exists(status);
}

std::filesystem::path expanded_path(const std::string& value) {
  const char* const home = std::getenv("HOME");
  if (home == nullptr || !(value == "~" || value.starts_with("~/"))) return value;
  return std::string(home) + value.substr(1);
}

}  // namespace dfine::inline hub
