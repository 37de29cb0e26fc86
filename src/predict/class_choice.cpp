#include "predict/class_choice.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <set>

#include "classes/class_names.h"
#include "core/error.h"
#include "core/nearest.h"
#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline predict {
namespace {

std::optional<int64_t> label_number(const std::string& text) {
  int64_t label = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, label);
  if (rest != end || failed != std::errc()) return std::nullopt;
  return label;
}

std::string what_there_is(const std::string& wanted, const std::vector<std::string>& names) {
  constexpr size_t kListed = 20;
  auto nearest = nearest_names(wanted, names, tolerated_edits(wanted.size()));
  for (std::string& name : nearest) name = str_cat("\"", printable(name), "\"");
  if (!nearest.empty()) return str_cat("did you mean ", joined_by_or(nearest), "?");
  if (names.size() > kListed)
    return str_cat("the model has ", names.size(),
                   " classes; dfine-weights show lists them, numbered from 0");
  std::vector<std::string> all;
  for (const std::string& name : names) all.push_back(printable(name));
  return str_cat("the model's classes: ", listed(all));
}

}  // namespace

std::vector<int64_t> choose_classes(const std::vector<std::string>& wanted,
                                    const std::vector<std::string>& names) {
  std::set<int64_t> labels;
  const std::vector<int64_t> places = match_class_names(wanted, names);
  for (size_t k = 0; k < wanted.size(); ++k) {
    const auto number = places[k] == kNoClass ? label_number(wanted[k]) : places[k];
    if (!number || *number < 0 || *number >= static_cast<int64_t>(names.size()))
      throw UsageError(str_cat("--classes ", printable(wanted[k]),
                               ": the model has no such class, by name or number"),
                       what_there_is(wanted[k], names));
    labels.insert(*number);
  }
  return {labels.begin(), labels.end()};
}

}  // namespace dfine::inline predict
