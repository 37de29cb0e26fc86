#pragma once
// Pictures of what the network is trained on.
#include <cstdint>
#include <filesystem>

#include "learner/train_feed.h"

namespace dfine::inline shards {
class PackedDataset;
}  // namespace dfine::inline shards

namespace dfine::inline tools {

/// Draws the first `batches` global batches of the first epoch as the step gets them: augmented, at
/// the step's own size. Boxes and class names are drawn too. Writes folder/batch-0000.jpg, or
/// batch-0000-a.jpg, -b.jpg, ... of 16 images each, in order. The pictures are the same for any
/// number of ranks with the same global batch.
void write_preview(const PackedDataset& dataset, const FeedOptions& feed, int64_t batches,
                   const std::filesystem::path& folder);

}  // namespace dfine::inline tools
