#pragma once
// What is counted while images are packed, for the closing summary and the report.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/image_check.h"
#include "data/shard_writer.h"

namespace dfine {

/// A box that was changed or left out of training.
struct BoxNote {
  std::string file_name;
  int64_t annotation_id = 0;
};

struct BoxNotes {
  static constexpr size_t kKept = 20;
  size_t count = 0;
  std::vector<BoxNote> first;  // the first kKept
  void add(const std::string& file_name, int64_t annotation_id) {
    if (count++ < kKept) first.push_back({file_name, annotation_id});
  }
  /// Those of `later` follow.
  void append(const BoxNotes& later);
};

struct ClassCount {
  size_t boxes = 0;   // training targets
  size_t crowds = 0;  // crowd regions: evaluation alone uses them
};

struct PackCounts {
  explicit PackCounts(size_t categories = 0) : classes(categories) {}

  size_t empty_images = 0;          // without a training target
  std::vector<ClassCount> classes;  // in order of the labels
  size_t missing_areas = 0;         // annotations whose area became w * h
  size_t oriented = 0;              // images whose EXIF data ask to be turned or mirrored, which is not done
  size_t resized = 0;               // images made smaller
  BoxNotes clipped, dropped;

  void add(const std::string& file_name, std::span<const PlacedBox> boxes, const CheckedImage& checked);
  /// Those of images that follow.
  void append(const PackCounts& later);
};

}  // namespace dfine
