#include "data/packer.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "core/atomic_path.h"
#include "core/error.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "data/coco.h"
#include "data/image_check.h"
#include "data/manifest.h"
#include "data/pack_plan.h"
#include "data/shard_writer.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSkipHint = "correct the input, or leave such images out with --skip-bad, which lists them";

/// An existing output may be replaced if all that it holds was written by this program.
void check_output(const PackOptions& options) {
  std::error_code failed;
  const fs::file_status status = fs::status(options.output, failed);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status))
    throw Error(cat("the output ", options.output.string(), " exists and is not a folder"), "choose another place");
  bool empty = true, has_manifest = false;
  for (const auto& entry : fs::directory_iterator(options.output, failed)) {
    const std::string name = entry.path().filename().string();
    empty = false;
    has_manifest = has_manifest || name == kManifestName;
    if (name != kManifestName && !(name.starts_with("shard-") && name.ends_with(".h5"))) {
      throw Error(cat("the output ", options.output.string(), " exists and holds '", name, "', which is no part of a pack"),
                  "choose another place; nothing was changed");
    }
  }
  if (failed) throw Error(cat("cannot read the output ", options.output.string(), ": ", failed.message()));
  if (empty) return;
  if (!has_manifest)
    throw Error(cat("the output ", options.output.string(), " exists and is not a pack"), "choose another place; nothing was changed");
  if (!options.overwrite) throw Error(cat("the output ", options.output.string(), " exists"), "--overwrite replaces it");
}

class Packer {
 public:
  Packer(const PackOptions& options, const fs::path& folder)
      : options_(options), folder_(folder), pool_(options.jobs), coco_(read_coco(options.annotations)) {}

  PackSummary run() {
    if (coco_.images.empty()) throw Error(cat(options_.annotations.string(), " lists no images"), "check --annotations");
    const PackPlan plan = plan_pack(coco_, options_.images, options_.shard_size, pool_);
    if (!plan.problems.empty() && !options_.skip_bad) throw_problems(options_.annotations, plan.problems, kSkipHint);
    for (const auto& problem : plan.problems) skip(problem);
    progress_ = {0, plan.images, 0, plan.bytes};
    summary_.classes.resize(coco_.categories.size());
    manifest_.categories = coco_.categories;
    for (size_t s = 0; s < plan.shards.size(); ++s) {
      with_context([&] { write_shard(shard_file_name(s), plan.shards[s]); }, [&] { return "while packing " + options_.output.string(); });
    }
    if (manifest_.shards.empty())
      throw Error(cat(options_.annotations.string(), ": not one usable image is left"), "see the reasons listed");
    write_manifest(folder_, manifest_);
    return finish();
  }

 private:
  void skip(const CocoProblem& problem) {
    summary_.skipped.push_back(problem.message);
    if (problem.image != CocoProblem::kNoImage) skipped_.insert(problem.image);
  }

  /// The place for image bytes is set aside when a shard is begun, so a shard with a bad image is begun again without it.
  void write_shard(const std::string& name, std::vector<PlannedImage> images) {
    while (!images.empty()) {
      const std::vector<bool> bad = try_shard(name, images);
      if (std::find(bad.begin(), bad.end(), true) == bad.end()) {
        for (const PlannedImage& image : images) count(image);
        return;
      }
      std::error_code ignored;
      fs::remove(folder_ / name, ignored);
      size_t kept = 0;
      for (size_t i = 0; i < images.size(); ++i) {
        if (bad[i]) {
          ++progress_.images;
          progress_.bytes += images[i].size;
        } else if (kept++ != i) {
          images[kept - 1] = std::move(images[i]);
        }
      }
      images.resize(kept);
    }
  }

  /// Writes the shard, or finds out which images are bad (and lists them as skipped).
  std::vector<bool> try_shard(const std::string& name, const std::vector<PlannedImage>& images) {
    const PackProgress before = progress_;
    std::vector<bool> bad(images.size(), false);
    bool sound = true;
    const auto bytes =
        std::accumulate(images.begin(), images.end(), uint64_t{0}, [](uint64_t sum, const auto& image) { return sum + image.size; });
    ShardWriter writer(folder_ / name, bytes);
    const auto check = [&](size_t i) { return check_image(images[i]); };
    ordered_parallel(pool_, images.size(), 4 * static_cast<size_t>(options_.jobs), check, [&](size_t i, Checked checked) {
      if (options_.interrupted()) throw Error("interrupted; nothing was written");
      if (!checked.problem.empty()) {
        const CocoProblem problem{std::move(checked.problem), static_cast<int64_t>(images[i].index)};
        if (!options_.skip_bad)
          throw_problems(options_.annotations, {&problem, 1},
                         checked.hint.empty() ? kSkipHint : checked.hint + "; --skip-bad leaves such images out");
        skip(problem);
        bad[i] = true;
        sound = false;
      } else if (sound) {
        add(writer, images[i].index, checked.image);
      }
      ++progress_.images;
      progress_.bytes += images[i].size;
      options_.progress(progress_);
    });
    if (sound) {
      manifest_.shards.push_back(writer.finish(coco_.categories));
    } else {
      progress_ = before;
    }
    return bad;
  }

  struct Checked {
    CheckedImage image;
    std::string problem, hint;
  };

  Checked check_image(const PlannedImage& planned) const {
    const CocoImage& image = coco_.images[planned.index];
    try {
      return {read_checked_image(planned.path, planned.size, image), {}, {}};
    } catch (const Error& e) {
      return {{}, cat(describe(image), ": ", e.message()), e.hint()};
    }
  }

  void add(ShardWriter& writer, size_t index, const CheckedImage& checked) {
    CocoImage& image = coco_.images[index];
    image.width = checked.width;  // the same, unless the annotation file gave none
    image.height = checked.height;
    writer.add(image, checked.bytes, checked.crc32c, place_boxes(index));
  }

  std::vector<PlacedBox> place_boxes(size_t index) const {
    const CocoImage& image = coco_.images[index];
    std::vector<PlacedBox> boxes;
    for (const auto& annotation : coco_.annotations_of(index)) {
      boxes.push_back({&annotation, normalise_box(annotation.bbox, image.width, image.height)});
    }
    return boxes;
  }

  void count(const PlannedImage& planned) {
    const std::string& file_name = coco_.images[planned.index].file_name;
    size_t targets = 0;
    for (const PlacedBox& placed : place_boxes(planned.index)) {
      const CocoAnnotation& annotation = *placed.annotation;
      ClassCount& of_class = summary_.classes[static_cast<size_t>(annotation.label)];
      if (!annotation.area_given) ++summary_.missing_areas;
      if (!placed.box) {
        summary_.dropped.add(file_name, annotation.id);
        continue;
      }
      if (placed.box->clipped) summary_.clipped.add(file_name, annotation.id);
      ++(annotation.iscrowd ? of_class.crowds : of_class.boxes);
      if (!annotation.iscrowd) ++targets;
    }
    if (targets == 0) ++summary_.empty_images;
  }

  PackSummary finish() {
    const ShardEntry totals = manifest_.totals();
    summary_.images = totals.images;
    summary_.shards = manifest_.shards.size();
    summary_.image_bytes = totals.image_bytes;
    summary_.file_bytes = totals.file_bytes;
    summary_.categories = std::move(coco_.categories);
    summary_.skipped_images = skipped_.size();
    return std::move(summary_);
  }

  const PackOptions& options_;
  const fs::path folder_;
  ThreadPool pool_;
  Coco coco_;
  Manifest manifest_;
  PackProgress progress_;
  PackSummary summary_;
  std::unordered_set<int64_t> skipped_;
};

}  // namespace

PackSummary pack(const PackOptions& options) {
  std::error_code failed;
  if (!fs::is_directory(options.images, failed))
    throw Error(cat("the image folder ", options.images.string(), " does not exist"), "check --images");
  check_output(options);
  AtomicFolder folder(options.output);
  PackSummary summary = Packer(options, folder.path()).run();
  if (options.interrupted()) throw Error("interrupted; nothing was written");
  folder.commit();
  return summary;
}

}  // namespace dfine
