#include "state/class_names.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/text.h"

namespace dfine {
namespace {

/// What counts of a name: "Dining-Table" and "dining_table" are "diningtable".
std::string folded(const std::string& name) {
  std::string kept;
  for (const char c : name) {
    if (c == ' ' || c == '\t' || c == '_' || c == '-' || c == '/') continue;
    kept.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return kept;
}

/// Folded names of one class. The first is COCO's or the correct one.
constexpr std::array<std::pair<const char*, const char*>, 27> kSame{{
    // COCO and Objects365, as the official table pairs them (obj365_ids in src/solver/_solver.py of
    // Peterande/D-FINE).
    {"bird", "wildbird"},
    {"handbag", "handbagsatchel"},
    {"suitcase", "luggage"},
    {"skis", "skatingandskiingshoes"},
    {"sportsball", "baseball"},
    {"bowl", "bowlbasin"},
    {"orange", "orangetangerine"},
    {"tv", "monitortv"},
    {"teddybear", "stuffedtoy"},
    {"hairdrier", "hairdryer"},
    // Objects365 as its annotation files spell it (the first list there).
    {"tv", "monitertv"},
    {"diningtable", "dinningtable"},
    {"basket", "bakset"},
    {"balloon", "ballon"},
    {"billiards", "billards"},
    {"extensioncord", "extentioncord"},
    {"hotairballoon", "hotairballon"},
    {"mushroom", "mushroon"},
    {"tapemeasureruler", "tapemeasurruler"},
    {"camel", "campel"},
    {"butterfly", "buttefly"},
    {"noodles", "noddles"},
    {"tabletennispaddle", "tableteniispaddle"},
    // PASCAL VOC (Everingham et al. 2010), whose spelling many lists of COCO's classes keep.
    {"airplane", "aeroplane"},
    {"motorcycle", "motorbike"},
    {"couch", "sofa"},
    {"tv", "tvmonitor"},
}};

/// One name for all that mean the same.
std::string meaning(const std::string& name) {
  const std::string key = folded(name);
  for (const auto& [first, other] : kSame)
    if (key == other) return first;
  return key;
}

}  // namespace

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
    by_fold.emplace(folded(known[i]), place);
    by_meaning.emplace(meaning(known[i]), place);
  }
  const auto find = [](const std::map<std::string, int64_t>& places, const std::string& key) {
    const auto found = places.find(key);
    return found == places.end() ? kNoClass : found->second;
  };
  std::vector<int64_t> rows;
  for (const std::string& name : wanted) {
    int64_t row = find(exact, name);
    if (row == kNoClass) row = find(by_fold, folded(name));
    if (row == kNoClass) row = find(by_meaning, meaning(name));
    rows.push_back(row);
  }
  return rows;
}

}  // namespace dfine
