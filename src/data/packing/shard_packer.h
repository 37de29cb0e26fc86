#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "core/thread_pool.h"
#include "data/annotation_set.h"
#include "data/packing/options.h"
#include "data/packing/plan.h"
#include "data/report/counts.h"

namespace dfine::inline packing {

struct ShardOutcome {
  std::optional<ShardEntry> entry;  // none when no image of the shard is usable
  PackCounts counts;
  std::vector<CocoProblem> skipped;  // in order of the images
};

/// Reads, checks and writes the images of a shard; many threads prepare, the caller's writes in
/// order.
class ShardPacker {
 public:
  /// Keeps references; `done(bytes)` is called in the caller's thread for each image, good or bad,
  /// with its size on disk.
  ShardPacker(const PackOptions& options, const AnnotationSet& coco, ThreadPool& pool,
              std::function<void(uint64_t)> done)
      : options_(options), coco_(coco), pool_(pool), done_(std::move(done)) {}

  /// Writes `folder / shard.file`. A bad image is an Error, or skipped with options.skip_bad: the
  /// shard is then the one that the other images alone would give.
  ShardOutcome pack(const PlannedShard& shard, const std::filesystem::path& folder);

 private:
  struct Checked {
    CheckedImage image;
    std::string problem, hint;
    ErrorCode code = ErrorCode::kInternal;
  };
  Checked check(const PlannedImage& planned) const;
  /// Calls take(planned, checked) for the usable images in order; returns the others.
  template <class Take>
  std::vector<CocoProblem> for_each_usable(const std::vector<PlannedImage>& images, Take take);
  ShardOutcome pack_as_they_are(const PlannedShard& shard, const std::filesystem::path& file);
  ShardOutcome pack_resized(const PlannedShard& shard, const std::filesystem::path& file);

  const PackOptions& options_;
  const AnnotationSet& coco_;
  ThreadPool& pool_;
  std::function<void(uint64_t)> done_;
  bool silent_ = false;  // done_ was called for these images before
};

}  // namespace dfine::inline packing
