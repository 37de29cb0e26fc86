#pragma once
// A training pack whose labels follow those of the checkpoint that a run continues from.
#include <filesystem>

#include "data/shards/dataset.h"
#include "distributed/communicator.h"

namespace dfine::inline run {

/// Collective: the training pack of a run that continues from `checkpoint`, with the checkpoint's
/// labels, which its class heads have learnt. Rank zero alone reads the checkpoint. An empty path:
/// `data` as it is.
PackedDataset in_order_of_checkpoint(const std::filesystem::path& checkpoint, PackedDataset data,
                                     const Communicator& group);

}  // namespace dfine::inline run
