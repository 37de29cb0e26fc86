#pragma once
// From COCO (images and annotation file) to a pack; what dfine-pack runs.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/category.h"

namespace dfine {

struct PackProgress {
  size_t images = 0, images_total = 0;
  uint64_t bytes = 0, bytes_total = 0;
};

struct PackOptions {
  std::filesystem::path images;        // folder that file_name of the annotation file is relative to
  std::filesystem::path annotations;   // COCO JSON
  std::filesystem::path output;        // the pack; a folder that does not exist yet, or is empty
  uint64_t shard_size = 512ULL << 20;  // bytes of image files in a shard; a larger file gets a shard of its own
  int jobs = 1;                        // threads that read and check; the result does not depend on it
  bool skip_bad = false;               // leave unusable images out instead of failing
  bool overwrite = false;              // replace an existing pack
  std::function<void(const PackProgress&)> progress = [](const PackProgress&) {};  // after each image, from one thread
  std::function<bool()> interrupted = [] { return false; };                        // asked after each image; true ends it with an Error
};

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
};

struct ClassCount {
  size_t boxes = 0;   // training targets
  size_t crowds = 0;  // crowd regions: evaluation alone uses them
};

struct PackSummary {
  size_t images = 0, empty_images = 0, shards = 0;
  uint64_t image_bytes = 0, file_bytes = 0;
  std::vector<Category> categories;
  std::vector<ClassCount> classes;  // in order of the labels
  size_t missing_areas = 0;         // annotations whose area became w * h
  BoxNotes clipped, dropped;
  size_t skipped_images = 0;         // with skip_bad
  std::vector<std::string> skipped;  // one line for each problem
};

/// Packs. Whatever fails (see docs/data-format.md) throws an Error that names file and record and leaves nothing behind; an existing pack
/// is replaced at the very end. An existing output that is no pack, or a pack without `overwrite`, is refused.
PackSummary pack(const PackOptions& options);

}  // namespace dfine
