#include "data/packing/shard_packer.h"

#include <unordered_set>

#include "core/error.h"
#include "core/text.h"
#include "data/packing/interrupted.h"
#include "data/packing/spool.h"
#include "image/decode.h"

namespace dfine::inline packing {
namespace {

namespace fs = std::filesystem;

/// An image as it is stored: its annotations in the pixels of the stored file.
struct StoredImage {
  CocoImage image;
  std::vector<CocoAnnotation> annotations;
};

StoredImage stored_image(const AnnotationSet& coco, size_t index, const CheckedImage& checked) {
  const auto annotations = coco.annotations_of(index);
  StoredImage stored{coco.images[index], {annotations.begin(), annotations.end()}};
  stored.image.width =
      checked
          .width;  // the same, unless the annotation file gave none or the image was made smaller
  stored.image.height = checked.height;
  const double x = static_cast<double>(checked.width) / checked.file_width,
               y = static_cast<double>(checked.height) / checked.file_height;
  if (!checked.resized) return stored;
  for (CocoAnnotation& annotation : stored.annotations) {
    for (size_t k = 0; k < 4; ++k) annotation.bbox[k] *= k % 2 == 0 ? x : y;
    annotation.area *= x * y;
  }
  return stored;
}

std::vector<PlannedImage> without(const std::vector<PlannedImage>& images,
                                  const std::vector<CocoProblem>& problems) {
  std::unordered_set<int64_t> bad;
  for (const CocoProblem& problem : problems) bad.insert(problem.image);
  std::vector<PlannedImage> left;
  for (const PlannedImage& image : images) {
    if (!bad.contains(static_cast<int64_t>(image.index))) left.push_back(image);
  }
  return left;
}

}  // namespace

ShardPacker::Checked ShardPacker::check(const PlannedImage& planned) const {
  const CocoImage& image = coco_.images[planned.index];
  try {
    Checked checked;
    checked.image = read_checked_image(planned.path, planned.size, image);
    if (options_.max_side > 0) limit_side(checked.image, options_.max_side);
    if (options_.decode && !checked.image.resized)
      decode_image(checked.image.bytes);  // one made smaller has been decoded
    return checked;
  } catch (const Error& e) {
    return {{}, str_cat(describe(image), ": ", e.message()), e.hint(), e.code()};
  }
}

template <class Take>
std::vector<CocoProblem> ShardPacker::for_each_usable(const std::vector<PlannedImage>& images,
                                                      Take take) {
  std::vector<CocoProblem> problems;
  const auto produce = [&](size_t i) { return check(images[i]); };
  ordered_parallel(pool_, images.size(), 4 * static_cast<size_t>(options_.jobs), produce,
                   [&](size_t i, Checked checked) {
                     stop_if(options_.interrupted);
                     if (checked.problem.empty()) {
                       take(images[i], std::move(checked.image));
                     } else {
                       problems.push_back({std::move(checked.problem),
                                           static_cast<int64_t>(images[i].index), checked.code});
                       if (!options_.skip_bad)
                         throw_problems(options_.annotations, problems,
                                        checked.hint.empty()
                                            ? kSkipHint
                                            : checked.hint + "; --skip-bad skips such images");
                     }
                     if (!silent_) done_(images[i].size);
                   });
  return problems;
}

/// The place for image bytes is set aside when the shard is begun, so one with a bad image is begun
/// again without it.
ShardOutcome ShardPacker::pack_as_they_are(const PlannedShard& shard, const fs::path& file) {
  ShardOutcome outcome{{}, PackCounts(coco_.categories.size()), {}};
  ShardWriter writer(file, shard.bytes());
  outcome.skipped =
      for_each_usable(shard.images, [&](const PlannedImage& planned, const CheckedImage& checked) {
        const StoredImage stored = stored_image(coco_, planned.index, checked);
        writer.add(stored.image, checked.bytes, checked.crc32c, stored.annotations);
        outcome.counts.add(stored.image.file_name, stored.annotations, checked);
      });
  if (outcome.skipped.empty()) outcome.entry = writer.finish(coco_.categories);
  return outcome;
}

ShardOutcome ShardPacker::pack_resized(const PlannedShard& shard, const fs::path& file) {
  ShardOutcome outcome{{}, PackCounts(coco_.categories.size()), {}};
  ImageSpool spool(fs::path(file) += ".spool");
  std::vector<std::pair<size_t, CheckedImage>> kept;  // their bytes are in the spool
  outcome.skipped =
      for_each_usable(shard.images, [&](const PlannedImage& planned, CheckedImage checked) {
        spool.add(checked.bytes);
        checked.bytes = {};
        kept.emplace_back(planned.index, std::move(checked));
      });
  if (kept.empty()) return outcome;
  ShardWriter writer(file, spool.bytes());
  spool.for_each([&](size_t i, const std::vector<uint8_t>& bytes) {
    const auto& [index, checked] = kept[i];
    const StoredImage stored = stored_image(coco_, index, checked);
    writer.add(stored.image, bytes, checked.crc32c, stored.annotations);
    outcome.counts.add(stored.image.file_name, stored.annotations, checked);
  });
  outcome.entry = writer.finish(coco_.categories);
  return outcome;
}

ShardOutcome ShardPacker::pack(const PlannedShard& shard, const fs::path& folder) {
  const fs::path file = folder / shard.file;
  if (options_.max_side > 0) return pack_resized(shard, file);
  silent_ = false;
  ShardOutcome outcome = pack_as_they_are(shard, file);
  if (outcome.skipped.empty()) return outcome;
  std::error_code ignored;
  fs::remove(file, ignored);
  const PlannedShard left{shard.set, shard.file, without(shard.images, outcome.skipped)};
  if (left.images.empty())
    return {{}, PackCounts(coco_.categories.size()), std::move(outcome.skipped)};
  silent_ = true;
  ShardOutcome again = pack_as_they_are(left, file);
  if (!again.skipped.empty())
    throw_problems(options_.annotations, again.skipped, "the files change while they are packed");
  again.skipped = std::move(outcome.skipped);
  return again;
}

}  // namespace dfine::inline packing
