#pragma once
// What is counted while images are packed, for the closing summary and the report.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/formats/image_check.h"
#include "data/shards/writer.h"

namespace dfine::inline report {

/// Do these numbers look relative to the image (0 to 1), not like pixels? They may be a corner or
/// the centre and the size, or two corners. They may have been taken for COCO's pixels or for
/// VOC's, which count from 1 and yield x - 1 and width + 1. In pixels, such a box has at most two
/// per side.
bool looks_relative(const std::array<double, 4>& xywh);

/// A box that was changed or dropped from training.
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
  size_t boxes = 0;    // training targets
  size_t crowds = 0;   // crowd regions: evaluation alone uses them
  size_t dropped = 0;  // without any area inside the image

  size_t all() const { return boxes + crowds + dropped; }
};

struct PackCounts {
  explicit PackCounts(size_t categories = 0) : classes(categories) {}

  size_t empty_images = 0;          // without a training target
  std::vector<ClassCount> classes;  // in order of the labels
  size_t missing_areas = 0;         // annotations whose area became w * h
  size_t oriented = 0;  // images whose EXIF data ask to be turned or mirrored, which is not done
  size_t resized = 0;   // images made smaller
  size_t relative = 0;  // annotations that look relative to the image
  static constexpr size_t kCrowded =
      300;                    // queries of a model (model.num_queries) unless configured
  size_t crowded_images = 0;  // images with more training targets
  size_t most_boxes = 0;      // training targets of the image with the most
  std::string most_boxes_in;  // its name; the first of several
  BoxNotes clipped, dropped;

  void add(const std::string& file_name, std::span<const CocoAnnotation> annotations,
           const CheckedImage& checked);
  /// An image's number of training targets, which add() counts itself.
  void add_targets(std::string_view file_name, size_t targets);
  /// Those of images that follow.
  void append(const PackCounts& later);
};

}  // namespace dfine::inline report
