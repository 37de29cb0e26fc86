#pragma once
// Two lists of classes that meet (a model's and a dataset's, a checkpoint's and a dataset's,
// ...): are they the same classes?
#include <cstdint>
#include <string>
#include <vector>

#include "data/category.h"

namespace dfine::inline classes {

/// The classes of one side, in order of its labels.
struct ClassList {
  std::string owner;               // for messages: "runs/a/checkpoints/best"
  std::vector<std::string> names;  // [C]
  std::vector<int64_t>
      ids;  // [C] category ids; empty where there are none, as in published weights
};

ClassList class_list(std::string owner, const std::vector<Category>& categories);

/// How the classes of `wanted` relate to those of `given`.
struct ClassMatch {
  std::vector<int64_t> place;  // [C of wanted] the class's place in `given`; no place stands twice
  std::string note;  // one line for people: matched by name, because ids or order differ; empty if
                     // they do not
  std::string warning;  // matched without names, because they are missing; empty otherwise
};

enum class MoreClasses { kError, kMayBeGiven };

/// Classes belong together by name (classes/class_names.h says which names are the same), whatever
/// their ids and order.
/// - Where one side has no names (LABEL_0, LABEL_1, ...), classes belong together by id if both
///   sides have the same ids, otherwise by position. A warning is given. For `given` without names,
///   known_class_names() is tried first.
/// - Where a name stands twice on a side, classes belong together by id and name. Without ids on a
///   side, the names must be equal in order.
/// Throws Error unless each class of `wanted` is one of `given` and, with kError, the other way
/// round. The Error has both lists, or what differs where they are long. `hint` says what can be
/// done.
ClassMatch match_class_lists(const ClassList& given, const ClassList& wanted, MoreClasses more,
                             const std::string& hint);

}  // namespace dfine::inline classes
