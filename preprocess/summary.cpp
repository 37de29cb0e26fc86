#include "summary.h"

#include <algorithm>
#include <iomanip>
#include <iostream>

#include "core/printable.h"
#include "core/text.h"

namespace dfine {
namespace {

/// Text takes as many columns as it has characters: bytes that do not continue a UTF-8 sequence.
size_t columns(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string size_text(uint64_t bytes) {
  return human_bytes(static_cast<double>(bytes));
}

void print_classes(const std::vector<Category>& categories,
                   const std::vector<ClassCount>& classes) {
  size_t width = 5;
  for (const auto& category : categories)
    width = std::max(width, columns(printable(category.name)));
  std::cout << "  class" << std::string(width - 5, ' ') << std::setw(12) << "id" << std::setw(14)
            << "boxes" << std::setw(10) << "crowds" << '\n';
  for (size_t label = 0; label < categories.size(); ++label) {
    const Category& category = categories[label];
    const std::string name = printable(category.name);
    std::cout << "  " << name << std::string(width - columns(name), ' ') << std::setw(12)
              << category.id << std::setw(14)
              << with_commas(static_cast<long long>(classes[label].boxes)) << std::setw(10)
              << with_commas(static_cast<long long>(classes[label].crowds)) << '\n';
  }
}

void print_warnings(const std::vector<DataWarning>& warnings) {
  for (const DataWarning& warning : warnings)
    std::cout << "warning: " << printable(warning.text) << "\n  " << warning.advice << '\n';
}

namespace {

void print_notes(const char* what, const BoxNotes& notes) {
  std::cout << what << ": " << counted(notes.count, "box", "boxes") << '\n';
  for (const auto& note : notes.first)
    std::cout << "  " << printable(note.file_name) << ", annotation " << note.annotation_id << '\n';
  if (notes.count > notes.first.size())
    std::cout << "  and " << with_commas(static_cast<long long>(notes.count - notes.first.size()))
              << " more\n";
}

void print_set(const PackedSplit& set, const std::vector<Category>& categories) {
  const ShardEntry totals = sum_of(set.shards);
  if (!set.name.empty()) {
    std::cout << '\n'
              << set.name << ": " << counted(totals.images, "image", "images") << ", "
              << counted(set.shards.size(), "shard", "shards") << ", "
              << size_text(totals.file_bytes) << '\n';
  }
  const PackCounts& counts = set.counts;
  print_classes(categories, counts.classes);
  std::cout << "images without boxes: " << with_commas(static_cast<long long>(counts.empty_images))
            << '\n';
  print_notes("clipped to the image", counts.clipped);
  print_notes("dropped from training, no area inside the image", counts.dropped);
  if (counts.missing_areas > 0) {
    std::cout << "without area, taken as width x height: "
              << counted(counts.missing_areas, "box", "boxes") << '\n';
  }
  if (counts.resized > 0)
    std::cout << "made smaller: " << counted(counts.resized, "image", "images") << '\n';
  if (counts.oriented > 0) {
    std::cout << "with an EXIF orientation, which is not applied: "
              << counted(counts.oriented, "image", "images") << '\n';
  }
}

/// Classes that one side of a split lacks and another has.
void print_coverage(const PackSummary& summary) {
  for (const PackedSplit& set : summary.sets) {
    std::string lacking;
    for (size_t label = 0; label < summary.categories.size(); ++label) {
      const auto has_boxes = [&](const PackedSplit& s) {
        return s.counts.classes[label].boxes > 0;
      };
      if (has_boxes(set) || std::ranges::none_of(summary.sets, has_boxes)) continue;
      lacking += str_cat(lacking.empty() ? "" : ", ", printable(summary.categories[label].name));
    }
    if (summary.sets.size() > 1)
      std::cout << "classes without a box in " << set.name
                << " alone: " << (lacking.empty() ? "none" : lacking) << '\n';
  }
}

void print_data_notes(const std::vector<DataNote>& notes) {
  for (const DataNote& note : notes) {
    std::cout << note.what << ": " << with_commas(static_cast<long long>(note.count)) << '\n';
    const size_t shown = std::min(note.first.size(), DataNote::kShown);
    for (size_t k = 0; k < shown; ++k) std::cout << "  " << printable(note.first[k]) << '\n';
    if (note.count > shown)
      std::cout << "  and " << with_commas(static_cast<long long>(note.count - shown)) << " more\n";
  }
}

/// "2, 5, 7".
std::string list_of(const std::vector<size_t>& numbers) {
  std::string text;
  for (const size_t number : numbers) text += str_cat(text.empty() ? "" : ", ", number);
  return text;
}

void print_totals(const PackSummary& summary, const PackOptions& options, double seconds) {
  ShardEntry totals;
  size_t shards = 0;
  for (const PackedSplit& set : summary.sets) {
    const ShardEntry sum = sum_of(set.shards);
    totals.images += sum.images;
    totals.image_bytes += sum.image_bytes;
    totals.file_bytes += sum.file_bytes;
    shards += set.shards.size();
  }
  const bool part_alone = !summary.missing_parts.empty();
  std::cout << "packed " << counted(totals.images, "image", "images")
            << (part_alone
                    ? str_cat(" of part ", options.part->index, " of ", options.part->count, " of ")
                    : " into ")
            << printable(options.output) << ": " << counted(shards, "shard", "shards") << ", "
            << size_text(totals.file_bytes) << " (" << size_text(totals.image_bytes)
            << " of image files) in " << fixed(seconds, 1) << " s\n";
}

}  // namespace

void print_summary(const PackSummary& summary, const PackOptions& options, double seconds) {
  const bool part_alone = !summary.missing_parts.empty();
  if (summary.part_was_done) std::cout << "part " << options.part->index << " was packed before\n";
  if (!summary.sets.empty()) print_totals(summary, options, seconds);
  for (const PackedSplit& set : summary.sets) {
    if (!set.shards.empty())
      print_set(set, summary.categories);  // there may be more parts than shards
  }
  if (!part_alone) print_coverage(summary);
  print_data_notes(summary.notes);
  if (!summary.skipped.empty()) {
    std::cout << "skipped: " << counted(summary.skipped_images, "image", "images") << '\n';
    for (const auto& line : summary.skipped) std::cout << "  " << printable_lines(line) << '\n';
  }
  print_warnings(summary.warnings);
  if (!summary.report_problem.empty()) std::cout << printable_lines(summary.report_problem) << '\n';
  if (part_alone) {
    std::cout << "the pack is complete when part"
              << (summary.missing_parts.size() == 1 ? " " : "s ") << list_of(summary.missing_parts)
              << " of " << options.part->count
              << (summary.missing_parts.size() == 1 ? " is" : " are") << " done too\n";
  } else if (options.part) {
    std::cout << (options.part->count == 1 ? "the only part is"
                                           : str_cat("all ", options.part->count, " parts are"))
              << " done: the pack is complete\n";
  }
}

}  // namespace dfine
