#include "config/suggest.h"

#include <algorithm>
#include <iterator>

#include "config/synonyms.h"
#include "core/nearest.h"

namespace dfine::inline config {
namespace {

std::string last_part(const std::string& name) {
  return name.substr(name.rfind('.') + 1);
}

std::string synonym_of(const std::string& name, const std::vector<Synonym>& synonyms) {
  const std::string wanted = plain_name(name);
  const auto found = std::find_if(synonyms.begin(), synonyms.end(),
                                  [&](const Synonym& synonym) { return wanted == synonym.name; });
  return found == synonyms.end() ? "" : found->ours;
}

}  // namespace

std::string suggest(const std::string& name, const std::vector<std::string>& known) {
  const auto same = nearest_names(name, known, 0);  // but for case and hyphens
  if (!same.empty()) return same.front();
  const std::string key = last_part(name);
  std::vector<std::string> elsewhere;
  const auto add_if = [&](const auto& wanted) {
    std::copy_if(known.begin(), known.end(), std::back_inserter(elsewhere), wanted);
  };
  add_if([&](const std::string& k) { return last_part(k) == plain_name(key); });
  if (!elsewhere.empty()) return joined_by_or(elsewhere);
  if (const std::string ours = synonym_of(key, key_synonyms()); !ours.empty()) return ours;
  const size_t edits = tolerated_edits(key.size());
  const auto nearest = nearest_names(name, known, edits);
  if (!nearest.empty()) return joined_by_or(nearest);
  // Perhaps in the wrong table too.
  std::vector<std::string> keys;
  std::transform(known.begin(), known.end(), std::back_inserter(keys), last_part);
  const auto nearest_keys = nearest_names(key, keys, edits);
  add_if([&](const std::string& k) {
    return std::find(nearest_keys.begin(), nearest_keys.end(), last_part(k)) != nearest_keys.end();
  });
  return joined_by_or(elsewhere);
}

std::string suggest_table(const std::string& name, const std::vector<std::string>& tables) {
  if (const std::string ours = synonym_of(name, table_synonyms()); !ours.empty()) return ours;
  auto nearest = nearest_names(name, tables, tolerated_edits(name.size()));
  for (std::string& table : nearest) table = "[" + table + "]";
  return joined_by_or(nearest);
}

}  // namespace dfine::inline config
