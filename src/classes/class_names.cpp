#include "classes/class_names.h"

#include <algorithm>
#include <map>

#include "core/text.h"
#include "data/class_names.h"

namespace dfine::inline classes {

bool names_classes(const std::vector<std::string>& names) {
  constexpr std::string_view kPrefix = "LABEL_";
  return std::ranges::any_of(names, [&](const std::string& name) {
    return !name.starts_with(kPrefix) || name.size() == kPrefix.size() ||
           name.find_first_not_of("0123456789", kPrefix.size()) != std::string::npos;
  });
}

std::vector<std::string> known_class_names(const std::vector<std::string>& names) {
  if (names_classes(names)) return names;
  if (names.size() == coco_class_names().size()) return coco_class_names();
  std::vector<std::string> known = objects365_class_names();
  if (names.size() == known.size()) return known;
  if (names.size() != known.size() + 1) return {};
  known.insert(known.begin(), std::string());
  return known;
}

std::vector<int64_t> match_class_names(const std::vector<std::string>& wanted,
                                       const std::vector<std::string>& known) {
  std::map<std::string, int64_t> exact, by_fold, by_meaning;
  for (size_t i = 0; i < known.size(); ++i) {
    if (known[i].empty()) continue;
    const auto place = static_cast<int64_t>(i);
    exact.emplace(known[i], place);
    by_fold.emplace(folded_class_name(known[i]), place);
    by_meaning.emplace(class_meaning(known[i]), place);
  }
  const auto find = [](const std::map<std::string, int64_t>& places, const std::string& key) {
    const auto found = places.find(key);
    return found == places.end() ? kNoClass : found->second;
  };
  std::vector<int64_t> rows;
  for (const std::string& name : wanted) {
    int64_t row = find(exact, name);
    if (row == kNoClass) row = find(by_fold, folded_class_name(name));
    if (row == kNoClass) row = find(by_meaning, class_meaning(name));
    rows.push_back(row);
  }
  return rows;
}

}  // namespace dfine::inline classes
