#pragma once
// First half of reading COCO: JSON text to records, unchanged. The second half (coco.cpp)
// relates them to each other.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/annotation_set.h"

namespace dfine::inline coco {

struct RawFault {
  size_t record = 0;    // index into the list
  std::string message;  // "bbox holds NaN (at byte 1234)"
};

struct RawImage {
  std::optional<int64_t> id;
  CocoImage image;
};

struct RawAnnotation {
  std::optional<int64_t> id, image_id, category_id;
  CocoAnnotation annotation;
};

/// What one piece of the file holds.
struct RawCocoPiece {
  std::vector<Category> categories;
  std::vector<std::string> supercategories;
  std::vector<RawImage> images;
  std::vector<RawAnnotation> annotations;
  std::vector<RawFault> image_faults, annotation_faults;
};

/// A long list in the pieces in which it was read: never copied as a whole.
class RawAnnotations {
 public:
  void add(std::vector<RawAnnotation> piece) {
    if (piece.empty()) return;
    pieces_.push_back(std::move(piece));
    ends_.push_back(size() + pieces_.back().size());
  }
  size_t size() const { return ends_.empty() ? 0 : ends_.back(); }
  const RawAnnotation& operator[](size_t i) const {
    const auto piece =
        static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), i) - ends_.begin());
    return pieces_[piece][i - (ends_[piece] - pieces_[piece].size())];
  }
  /// visit(i, annotation) in order.
  template <class Visit>
  void for_each(Visit visit) {
    size_t i = 0;
    for (auto& piece : pieces_) {
      for (RawAnnotation& annotation : piece) visit(i++, annotation);
    }
  }

 private:
  std::vector<std::vector<RawAnnotation>> pieces_;
  std::vector<size_t> ends_;
};

struct RawCoco {
  std::vector<Category> categories;          // in order of the file
  std::vector<std::string> supercategories;  // of categories with another name, folded; repeated
  std::vector<RawImage> images;
  RawAnnotations annotations;
  std::vector<RawFault> image_faults, annotation_faults;  // in order of the records
};

/// Reads with `jobs` threads (0: in the caller's). Throws Error for whatever makes the file as a
/// whole unusable (see read_coco).
RawCoco read_coco_json(const std::filesystem::path& path, int jobs);

}  // namespace dfine::inline coco
