#include "commands.h"

#include <iostream>

#include "core/error.h"
#include "core/printable.h"
#include "core/progress_line.h"
#include "core/text.h"
#include "data/packing/extract.h"
#include "data/packing/warnings.h"
#include "data/shards/dataset.h"
#include "data/shards/manifest.h"
#include "data/shards/verify.h"
#include "signals.h"
#include "summary.h"

namespace dfine {
void run_pack(PackOptions options) {
  PackSummary summary;
  double seconds = 0;
  {
    ProgressLine line("packed");
    options.interrupted = interrupted;
    options.progress = [&](const PackProgress& at) {
      line.update(str_cat(with_commas(static_cast<long long>(at.images)), " of ",
                          counted(at.images_total, "image", "images")),
                  at.bytes, at.bytes_total);
    };
    summary = pack(options);
    seconds = line.seconds();
  }
  print_summary(summary, options, seconds);
}

void run_info(const std::filesystem::path& folder) {
  const Manifest manifest = read_manifest(folder);
  const PackedDataset set = PackedDataset::open(folder);
  const ShardEntry totals = manifest.totals();
  PackCounts counts(set.categories().size());
  for (size_t i = 0; i < set.size(); ++i) {
    counts.add_targets(set.image(i).file_name, set.training_boxes(i).size());
    for (const PackedBox& box : set.evaluation_boxes(i)) {
      ClassCount& of_class = counts.classes[static_cast<size_t>(box.label)];
      ++(box.dropped ? of_class.dropped : box.iscrowd ? of_class.crowds : of_class.boxes);
      if (looks_relative(box.xywh)) ++counts.relative;
    }
  }
  std::cout << printable(folder) << ": " << counted(set.size(), "image", "images") << ", "
            << counted(manifest.shards.size(), "shard", "shards") << ", "
            << size_text(totals.file_bytes) << '\n';
  print_classes(set.categories(), counts.classes);
  std::cout << "images without boxes: " << with_commas(static_cast<long long>(counts.empty_images))
            << '\n';
  std::cout << "dropped from training, no area inside the image: "
            << counted(totals.dropped_boxes, "box", "boxes") << '\n';
  print_warnings(find_warnings(set.categories(), counts, {}));
  for (const auto& shard : manifest.shards) {
    std::cout << "  " << shard.file << ": " << counted(shard.images, "image", "images") << ", "
              << counted(shard.boxes, "box", "boxes") << ", " << size_text(shard.file_bytes)
              << '\n';
  }
}

bool run_verify(const std::filesystem::path& folder, int jobs, bool decode) {
  VerifyReport report;
  double seconds = 0;
  {
    ProgressLine line("checked");
    report = verify_pack(
        folder, jobs, decode,
        [&](uint64_t done, uint64_t total) {
          line.update(size_text(total) + " of image files", done, total);
        },
        interrupted);
    seconds = line.seconds();
  }
  for (const auto& line : report.damaged) std::cout << "damaged: " << printable_lines(line) << '\n';
  std::cout << printable(folder) << ": "
            << (report.damaged.empty()
                    ? "sound"
                    : with_code(
                          counted(report.damaged.size(), "thing is", "things are") + " damaged",
                          ErrorCode::kFileDamaged))
            << "; checked " << counted(report.images, "image", "images") << " in "
            << counted(report.shards, "shard", "shards") << ", " << size_text(report.bytes)
            << " in " << fixed(seconds, 1) << " s\n";
  return report.damaged.empty();
}

void run_extract(const std::filesystem::path& folder, const std::filesystem::path& output,
                 int jobs) {
  const ShardEntry totals = read_manifest(folder).totals();
  ExtractSummary summary;
  double seconds = 0;
  {
    ProgressLine line("extracted");
    summary = extract_pack(
        folder, output, jobs,
        [&](size_t images, uint64_t bytes) {
          line.update(str_cat(with_commas(static_cast<long long>(images)), " of ",
                              counted(totals.images, "image", "images")),
                      bytes, totals.image_bytes);
        },
        interrupted);
    seconds = line.seconds();
  }
  std::cout << "extracted " << counted(summary.images, "image", "images") << " ("
            << size_text(summary.bytes) << ") and "
            << counted(summary.annotations, "annotation", "annotations") << " into "
            << printable(output) << " in " << fixed(seconds, 1)
            << " s\npack them again: dfine-pack --images " << printable(output / "images")
            << " --annotations " << printable(output / "annotations.json") << " --output DIR\n";
}

}  // namespace dfine
