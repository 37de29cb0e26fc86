#include "commands.h"

#include <algorithm>
#include <iomanip>
#include <iostream>

#include "core/error.h"
#include "core/text.h"
#include "data/dataset.h"
#include "data/manifest.h"
#include "data/verify.h"
#include "progress_line.h"
#include "signals.h"

namespace dfine {
namespace {

std::string count_of(size_t count, const char* one, const char* many) {
  return cat(with_commas(static_cast<long long>(count)), " ", count == 1 ? one : many);
}

std::string size_text(uint64_t bytes) {
  return human_bytes(static_cast<double>(bytes));
}

/// Text takes as many columns as it has characters: bytes that do not continue a UTF-8 sequence.
size_t columns(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void print_classes(const std::vector<Category>& categories, const std::vector<ClassCount>& classes) {
  size_t width = 5;
  for (const auto& category : categories) width = std::max(width, columns(category.name));
  std::cout << "  class" << std::string(width - 5, ' ') << std::setw(12) << "id" << std::setw(14) << "boxes" << std::setw(10) << "crowds"
            << '\n';
  for (size_t label = 0; label < categories.size(); ++label) {
    const Category& category = categories[label];
    std::cout << "  " << category.name << std::string(width - columns(category.name), ' ') << std::setw(12) << category.id << std::setw(14)
              << with_commas(static_cast<long long>(classes[label].boxes)) << std::setw(10)
              << with_commas(static_cast<long long>(classes[label].crowds)) << '\n';
  }
}

void print_notes(const char* what, const BoxNotes& notes) {
  std::cout << what << ": " << count_of(notes.count, "box", "boxes") << '\n';
  for (const auto& note : notes.first) std::cout << "  " << note.file_name << ", annotation " << note.annotation_id << '\n';
  if (notes.count > notes.first.size())
    std::cout << "  and " << with_commas(static_cast<long long>(notes.count - notes.first.size())) << " more\n";
}

void print_summary(const PackSummary& summary, const std::filesystem::path& output, double seconds) {
  std::cout << "packed " << count_of(summary.images, "image", "images") << " into " << output.string() << ": "
            << count_of(summary.shards, "shard", "shards") << ", " << size_text(summary.file_bytes) << " ("
            << size_text(summary.image_bytes) << " of image files) in " << fixed(seconds, 1) << " s\n";
  print_classes(summary.categories, summary.classes);
  std::cout << "images without boxes: " << with_commas(static_cast<long long>(summary.empty_images)) << '\n';
  print_notes("clipped to the image", summary.clipped);
  print_notes("dropped from training, no area inside the image", summary.dropped);
  if (summary.missing_areas > 0) {
    std::cout << "without area, taken as width x height: " << count_of(summary.missing_areas, "box", "boxes") << '\n';
  }
  if (summary.skipped.empty()) return;
  std::cout << "skipped: " << count_of(summary.skipped_images, "image", "images") << '\n';
  for (const auto& line : summary.skipped) std::cout << "  " << line << '\n';
}

}  // namespace

void run_pack(PackOptions options) {
  PackSummary summary;
  double seconds = 0;
  {
    ProgressLine line("packed");
    options.interrupted = interrupted;
    options.progress = [&](const PackProgress& at) {
      line.update(cat(with_commas(static_cast<long long>(at.images)), " of ", count_of(at.images_total, "image", "images")), at.bytes,
                  at.bytes_total);
    };
    summary = pack(options);
    seconds = line.seconds();
  }
  print_summary(summary, options.output, seconds);
}

void run_info(const std::filesystem::path& folder) {
  const Manifest manifest = read_manifest(folder);
  const PackedDataset set = PackedDataset::open(folder);
  const ShardEntry totals = manifest.totals();
  std::vector<ClassCount> classes(set.categories().size());
  size_t empty = 0;
  for (size_t i = 0; i < set.size(); ++i) {
    if (set.training_box_count(i) == 0) ++empty;
    for (const PackedBox& box : set.evaluation_boxes(i)) {
      if (box.dropped) continue;
      ClassCount& of_class = classes[static_cast<size_t>(box.label)];
      ++(box.iscrowd ? of_class.crowds : of_class.boxes);
    }
  }
  std::cout << folder.string() << ": " << count_of(set.size(), "image", "images") << ", "
            << count_of(manifest.shards.size(), "shard", "shards") << ", " << size_text(totals.file_bytes) << '\n';
  print_classes(set.categories(), classes);
  std::cout << "images without boxes: " << with_commas(static_cast<long long>(empty)) << '\n';
  std::cout << "dropped from training, no area inside the image: " << count_of(totals.dropped_boxes, "box", "boxes") << '\n';
  for (const auto& shard : manifest.shards) {
    std::cout << "  " << shard.file << ": " << count_of(shard.images, "image", "images") << ", " << count_of(shard.boxes, "box", "boxes")
              << ", " << size_text(shard.file_bytes) << '\n';
  }
}

bool run_verify(const std::filesystem::path& folder, int jobs) {
  VerifyReport report;
  double seconds = 0;
  {
    ProgressLine line("checked");
    report = verify_pack(
        folder, jobs, [&](uint64_t done, uint64_t total) { line.update(size_text(total) + " of image files", done, total); }, interrupted);
    seconds = line.seconds();
  }
  for (const auto& line : report.damaged) std::cout << "damaged: " << line << '\n';
  std::cout << folder.string() << ": "
            << (report.damaged.empty() ? "sound" : count_of(report.damaged.size(), "thing is", "things are") + " damaged") << "; checked "
            << count_of(report.images, "image", "images") << " in " << count_of(report.shards, "shard", "shards") << ", "
            << size_text(report.bytes) << " in " << fixed(seconds, 1) << " s\n";
  return report.damaged.empty();
}

}  // namespace dfine
