#pragma once
// A dataset whose labels follow those of a model, a checkpoint or another dataset.
#include <string>

#include "classes/class_match.h"
#include "data/shards/dataset.h"

namespace dfine::inline eval {

/// `data` with the labels of `order`: match_class_lists() relates the classes, by name as a rule,
/// and says so in the log. The names are those of `order` too, where it has names.
/// `data_name` and `hint` are for its messages. Throws Error when the classes are not the same.
PackedDataset in_order_of(const ClassList& order, PackedDataset data, const std::string& data_name,
                          const std::string& hint);

}  // namespace dfine::inline eval
