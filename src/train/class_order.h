#pragma once
// A data set whose labels follow those of a model, a checkpoint or another data set.
#include <filesystem>
#include <string>

#include "data/shards/dataset.h"
#include "dist/group.h"
#include "state/class_match.h"

namespace dfine {

/// `data` with the labels of `order`: match_class_lists() relates the classes, by name as a rule,
/// and says so in the log if `report`. The names are those of `order` too, where it has names.
/// `data_name` and `hint` are for its messages. Throws Error when the classes are not the same.
PackedDataset in_order_of(const ClassList& order, PackedDataset data, const std::string& data_name,
                          bool report, const std::string& hint);

/// Collective: the training pack of a run that continues from `checkpoint`, with the checkpoint's
/// labels, which its class heads have learnt. Rank zero alone reads the checkpoint. An empty path:
/// `data` as it is.
PackedDataset in_order_of_checkpoint(const std::filesystem::path& checkpoint, PackedDataset data,
                                     const Group& group);

}  // namespace dfine
