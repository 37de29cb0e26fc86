#include "data/packing/packer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "data/annotation_set.h"
#include "data/packing/interrupted.h"
#include "data/packing/output.h"
#include "data/packing/parts.h"
#include "data/packing/plan.h"
#include "data/packing/read_annotations.h"
#include "data/packing/repeats.h"
#include "data/packing/shard_packer.h"
#include "data/packing/unused_classes.h"
#include "data/packing/warnings.h"
#include "data/report/report.h"
#include "data/shards/dataset.h"
#include "files/atomic_path.h"
#include "files/file_sync.h"

namespace dfine::inline packing {
namespace {

namespace fs = std::filesystem;

Annotations read_input(const PackOptions& options, ThreadPool& pool) {
  Annotations annotations = read_annotations(options, pool);
  if (options.drop_group_classes)
    append_note(annotations.notes, drop_group_classes(annotations.coco));
  if (options.drop_unused_classes)
    append_note(annotations.notes, drop_unused_classes(annotations.coco));
  return annotations;
}

class Packer {
 public:
  explicit Packer(const PackOptions& options)
      : options_(options),
        pool_(options.jobs),
        annotations_(read_input(options, pool_)),
        coco_(annotations_.coco) {
    if (coco_.images.empty()) throw_no_images();
    sets_ = options.val_fraction > 0 ? split_sets(coco_, options.val_fraction, options.seed)
                                     : one_set(coco_);
    plan_ = plan_pack(coco_, sets_, annotations_.image_folder, options_.shard_size, pool_);
    if (!plan_.problems.empty() && !options_.skip_bad)
      throw_problems(options_.annotations, plan_.problems, kSkipHint);
    std::ranges::move(find_repeats(coco_, plan_), std::back_inserter(annotations_.notes));
  }

  PackSummary pack_all() {
    AtomicFolder folder(options_.output);
    const PackResult result = write_shards(folder.path(), 0, plan_.shards.size());
    const ClosingFiles closing = closing_files(result, folder.path());
    for (const auto& [name, text] : closing.files)
      write_file_atomically(folder.path() / name, text);
    stop_if(options_.interrupted);
    if (options_.overwrite) {
      folder.commit([&] {
        check_output(options_.output, true);
      });  // the folder may have been filled since the beginning
    } else {
      folder.commit_new();
    }
    PackSummary summary = summarise(result);
    summary.report_problem = closing.report_problem;
    summary.warnings = closing.warnings;
    return summary;
  }

  PackSummary pack_part(PackPart part) {
    const PackParts parts(options_.output, part, checksum());
    try {
      return try_part(parts, part);
    } catch (const std::exception&) {
      if (!parts.completed(sets_.names))
        throw;  // else another run was faster, and has cleared the parts away
    }
    parts.remove();
    PackSummary summary;
    summary.part_was_done = true;
    return summary;
  }

 private:
  [[noreturn]] void throw_no_images() const {
    std::string text = str_cat(options_.annotations.string(), " lists no images");
    for (const DataNote& note : annotations_.notes)
      text +=
          str_cat("\n  ", note.what, ": ", note.count, ", such as ", printable(note.first.front()));
    throw Error(ErrorCode::kDatasetTooSmall, text, "check --annotations");
  }

  /// Of everything that decides the bytes of the shards, but those of the image files.
  uint32_t checksum() const {
    return plan_checksum(plan_, coco_,
                         {static_cast<uint64_t>(options_.max_side),
                          (options_.skip_bad ? 1U : 0U) | (options_.decode ? 2U : 0U)});
  }

  PackSummary try_part(const PackParts& parts, PackPart part) {
    std::optional<PackResult> own = parts.done();
    const bool was_done = own.has_value();
    if (!own) {
      AtomicFolder folder(parts.own_folder());
      const size_t count = plan_.shards.size();
      own = write_shards(folder.path(), count * (part.index - 1) / part.count,
                         count * part.index / part.count);
      parts.write_record(folder.path(), *own);
      stop_if(options_.interrupted);
      folder.commit();
    }
    ClosingFiles closing;
    std::vector<size_t> missing = parts.missing();
    if (!missing.empty() &&
        parts.completed(
            sets_.names)) {  // by another run, while this one packed the same part once more
      missing.clear();
      parts.remove();
    } else if (missing.empty()) {
      own = parts.gather();
      closing = closing_files(*own, parts.join(*own));
      parts.complete(closing.files);
      parts.remove();
    }
    PackSummary summary = summarise(std::move(*own));
    summary.part_was_done = was_done;
    summary.missing_parts = std::move(missing);
    summary.report_problem = std::move(closing.report_problem);
    summary.warnings = std::move(closing.warnings);
    return summary;
  }

  PackResult write_shards(const fs::path& folder, size_t begin, size_t end) {
    PackResult result;
    for (const std::string& name : sets_.names) {
      result.sets.push_back({name, {}, PackCounts(coco_.categories.size())});
      fs::create_directories(folder / name);
    }
    PackProgress progress;
    for (size_t s = begin; s < end; ++s) {
      progress.images_total += plan_.shards[s].images.size();
      progress.bytes_total += plan_.shards[s].bytes();
    }
    ShardPacker packer(options_, coco_, pool_, [&](uint64_t bytes) {
      ++progress.images;
      progress.bytes += bytes;
      options_.progress(progress);
    });
    BackgroundSync sync;
    for (size_t s = begin; s < end; ++s) {
      const ErrorContext at("while packing ", options_.output.string());
      const PlannedShard& shard = plan_.shards[s];
      PackedSplit& set = result.sets[shard.set];
      ShardOutcome outcome = packer.pack(shard, folder / set.name);
      if (outcome.entry) sync.add(folder / set.name / shard.file);
      if (outcome.entry) set.shards.push_back(*outcome.entry);
      set.counts.append(outcome.counts);
      std::ranges::move(outcome.skipped, std::back_inserter(result.skipped));
    }
    sync.finish();
    return result;
  }

  struct ClosingFiles {
    std::vector<std::pair<fs::path, std::string>> files;  // name in the output, content
    std::string report_problem;
    std::vector<DataWarning> warnings;
  };

  /// What each pack has beside its shards, which are in `folder`.
  ClosingFiles closing_files(const PackResult& result, const fs::path& folder) const {
    ClosingFiles closing;
    for (const PackedSplit& set : result.sets) {
      if (set.shards.empty()) throw_nothing_left(result, set.name);
      closing.files.emplace_back(fs::path(set.name) / kManifestName,
                                 manifest_text({coco_.categories, set.shards}));
    }
    closing.warnings = warnings(result);
    const std::vector<std::string> pages =
        reports({folder, coco_.categories, result.sets, summarise(result).skipped,
                 annotations_.notes, closing.warnings, options_.compare},
                closing);
    for (size_t s = 0; s < pages.size(); ++s)
      closing.files.emplace_back(fs::path(result.sets[s].name) / kReportName, pages[s]);
    return closing;
  }

  [[noreturn]] void throw_nothing_left(const PackResult& result, const std::string& set) const {
    std::vector<CocoProblem> problems = plan_.problems;
    problems.insert(problems.end(), result.skipped.begin(), result.skipped.end());
    throw_problems(str_cat(options_.annotations.string(), ": not one usable image is left",
                           set.empty() ? "" : " for " + set),
                   problems, "correct the input");
  }

  std::vector<DataWarning> warnings(const PackResult& result) const {
    PackCounts counts(coco_.categories.size());
    for (const PackedSplit& set : result.sets) counts.append(set.counts);
    return find_warnings(coco_.categories, counts, coco_.supercategories);
  }

  /// Hours of packing are not lost for want of a report: one without the comparison is made
  /// instead, or none, and closing.report_problem says so.
  static std::vector<std::string> reports(ReportInput input, ClosingFiles& closing) {
    const auto try_once = [&] {
      Reports made = make_reports(input);
      closing.warnings = std::move(made.warnings);
      return std::move(made.pages);
    };
    const bool compares = !input.compare.empty();
    try {
      return try_once();
    } catch (const Error& e) {
      closing.report_problem = str_cat(
          "report.html is ", compares ? "without the comparison" : "missing", ": ", e.what());
    }
    if (!compares) return {};
    input.compare.clear();
    try {
      return try_once();
    } catch (const Error& e) {
      closing.report_problem = str_cat("report.html is missing: ", e.what());
    }
    return {};
  }

  PackSummary summarise(PackResult result) const {
    PackSummary summary;
    summary.categories = coco_.categories;
    summary.sets = std::move(result.sets);
    summary.notes = annotations_.notes;
    std::unordered_set<int64_t> images;
    for (const auto* problems : std::array{&plan_.problems, &std::as_const(result.skipped)}) {
      std::ranges::move(messages_of(*problems), std::back_inserter(summary.skipped));
      for (const CocoProblem& problem : *problems) {
        if (problem.image != CocoProblem::kNoImage) images.insert(problem.image);
      }
    }
    summary.skipped_images = images.size();
    return summary;
  }

  const PackOptions& options_;
  ThreadPool pool_;
  Annotations annotations_;
  const AnnotationSet& coco_;
  SplitAssignment sets_;
  PackPlan plan_;
};

}  // namespace

PackSummary pack(const PackOptions& options) {
  check_output(options.output, options.overwrite);
  if (!options.compare.empty()) {
    const ErrorContext at("in the pack to compare with, ", options.compare.string());
    PackedDataset::open(options.compare);
  }
  Packer packer(options);
  return options.part ? packer.pack_part(*options.part) : packer.pack_all();
}

}  // namespace dfine::inline packing
