#include "classes/class_match.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "classes/class_names.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline classes {
namespace {

constexpr size_t kMostShown = 20;

/// The first name that stands twice; empty if none does.
std::string repeated_name(const ClassList& list) {
  std::set<std::string> seen;
  for (const std::string& name : list.names)
    if (!seen.insert(name).second) return name;
  return {};
}

std::string class_text(const ClassList& list, size_t label) {
  return list.ids.empty() ? list.names[label] : str_cat(list.ids[label], " ", list.names[label]);
}

std::string listed(const ClassList& list, const std::vector<size_t>& labels) {
  std::string text;
  for (size_t i = 0; i < std::min(labels.size(), kMostShown); ++i)
    text += str_cat(i > 0 ? ", " : "", class_text(list, labels[i]));
  if (labels.size() > kMostShown) text += str_cat(" and ", labels.size() - kMostShown, " more");
  return text;
}

/// The classes of `list` that the other side lacks, of long lists; all of short ones.
std::string side_text(const ClassList& list, const ClassList& other, bool only_differences) {
  std::vector<size_t> labels;
  const auto found = match_class_names(list.names, other.names);
  for (size_t label = 0; label < list.names.size(); ++label)
    if (!only_differences || found[label] == kNoClass) labels.push_back(label);
  const std::string count = counted(static_cast<int64_t>(list.names.size()), "class", "classes");
  if (!only_differences)
    return str_cat("\n  ", list.owner, " (", count, "): ", listed(list, labels));
  return str_cat("\n  ", list.owner, " (", count, "), ", labels.size(), " not on the other side",
                 labels.empty() ? "" : ": ", listed(list, labels));
}

[[noreturn]] void refuse(const std::string& what, const ClassList& given, const ClassList& wanted,
                         const std::string& hint) {
  const bool differences = std::max(given.names.size(), wanted.names.size()) > kMostShown;
  throw Error(
      ErrorCode::kClassMismatch,
      str_cat(what, side_text(given, wanted, differences), side_text(wanted, given, differences)),
      hint);
}

std::vector<int64_t> in_order(size_t classes) {
  std::vector<int64_t> place(classes);
  std::iota(place.begin(), place.end(), 0);
  return place;
}

/// Whether each class of the other side stands for one class of this side.
bool one_to_one(const std::vector<int64_t>& place) {
  std::set<int64_t> seen;
  return std::all_of(place.begin(), place.end(),
                     [&](int64_t p) { return p != kNoClass && seen.insert(p).second; });
}

/// For each class of `wanted` the place of the one with the same id; empty unless the ids are a set
/// that both sides have.
std::vector<int64_t> match_ids(const ClassList& given, const ClassList& wanted) {
  std::map<int64_t, int64_t> places;
  for (size_t i = 0; i < given.ids.size(); ++i) places.emplace(given.ids[i], i);
  std::vector<int64_t> result;
  for (const int64_t id : wanted.ids) {
    const auto found = places.find(id);
    result.push_back(found == places.end() ? kNoClass : found->second);
  }
  const bool same = places.size() == wanted.ids.size() && one_to_one(result);
  return same ? result : std::vector<int64_t>();
}

ClassMatch without_names(const ClassList& given, const ClassList& wanted, const std::string& hint) {
  const ClassList& nameless = names_classes(given.names) ? wanted : given;
  if (given.names.size() != wanted.names.size())
    refuse(str_cat(nameless.owner, " does not name its classes, and their number differs"), given,
           wanted, hint);
  const std::vector<int64_t> by_id = match_ids(given, wanted);
  return {.place = by_id.empty() ? in_order(wanted.names.size()) : by_id,
          .note = {},
          .warning =
              str_cat(nameless.owner, " does not name its classes: they are taken to be those of ",
                      (&nameless == &given ? wanted : given).owner,
                      by_id.empty() ? " in the same order" : " with the same ids")};
}

/// For each class of `wanted` the place of the one with the same id and the same name.
std::vector<int64_t> match_pairs(const ClassList& given, const ClassList& wanted) {
  std::map<std::pair<int64_t, std::string>, int64_t> places;
  for (size_t i = 0; i < given.ids.size(); ++i)
    places.emplace(std::pair(given.ids[i], given.names[i]), i);
  std::vector<int64_t> result;
  for (size_t i = 0; i < wanted.ids.size(); ++i) {
    const auto found = places.find({wanted.ids[i], wanted.names[i]});
    result.push_back(found == places.end() ? kNoClass : found->second);
  }
  return result;
}

/// In one line: what differs between lists of the same classes; empty if nothing does.
std::string note_of(const ClassList& given, const ClassList& wanted,
                    const std::vector<int64_t>& place) {
  size_t moved = 0, other_id = 0, renamed = 0;
  std::string example;
  for (size_t label = 0; label < place.size(); ++label) {
    const auto p = static_cast<size_t>(place[label]);
    moved += p != label ? 1 : 0;
    other_id +=
        !given.ids.empty() && !wanted.ids.empty() && given.ids[p] != wanted.ids[label] ? 1 : 0;
    if (given.names[p] != wanted.names[label] && renamed++ == 0)
      example = str_cat(" (\"", wanted.names[label], "\" is \"", given.names[p], "\")");
  }
  // Where ids and spelling are the same, the order is our own matter.
  const bool have_ids = !given.ids.empty() && !wanted.ids.empty();
  if (other_id + renamed == 0 && (have_ids || moved == 0)) return {};
  std::string differences;
  for (const auto& [count, what] :
       {std::pair(other_id, "id"), {moved, "position"}, {renamed, "spelling"}})
    if (count > 0)
      differences += differences.empty()
                         ? str_cat(count, " of ", place.size(), " have another ", what)
                         : str_cat(", ", count, " another ", what);
  return str_cat("the classes of ", wanted.owner, " and ", given.owner,
                 " are matched by name: ", differences, example);
}

}  // namespace

ClassList class_list(std::string owner, const std::vector<Category>& categories) {
  ClassList list{.owner = std::move(owner), .names = {}, .ids = {}};
  for (const Category& category : categories) {
    list.names.push_back(category.name);
    list.ids.push_back(category.id);
  }
  return list;
}

ClassMatch match_class_lists(const ClassList& given, const ClassList& wanted, MoreClasses more,
                             const std::string& hint) {
  if (!names_classes(wanted.names)) return without_names(given, wanted, hint);
  if (!names_classes(given.names)) {
    const auto known = known_class_names(given.names);
    const auto place = match_class_names(wanted.names, known);
    if (known.empty() || !one_to_one(place) ||
        (more == MoreClasses::kError && known.size() != place.size()))
      return without_names(given, wanted, hint);
    return {.place = place,
            .note = {},
            .warning = str_cat(
                given.owner, " does not name its ", known.size(), " classes: they are taken to be ",
                known.size() == coco_class_names().size() ? "COCO's" : "Objects365's")};
  }
  std::string repeated = repeated_name(given);
  if (repeated.empty()) repeated = repeated_name(wanted);
  const bool have_ids = !given.ids.empty() && !wanted.ids.empty();
  std::vector<int64_t> place;
  if (repeated.empty()) {
    place = match_class_names(wanted.names, given.names);
  } else if (have_ids) {
    place = match_pairs(given, wanted);
  } else if (given.names == wanted.names) {
    place = in_order(wanted.names.size());
  }
  const bool all_wanted = place.size() == wanted.names.size() && one_to_one(place);
  if (!all_wanted || (more == MoreClasses::kError && given.names.size() != place.size())) {
    refuse(str_cat(wanted.owner, " has other classes than ", given.owner,
                   repeated.empty() ? ""
                                    : str_cat("; two are called \"", repeated,
                                              "\", so names cannot tell them apart")),
           given, wanted, hint);
  }
  return {.place = place, .note = note_of(given, wanted, place), .warning = {}};
}

}  // namespace dfine::inline classes
