#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>

#include "data/category.h"

namespace dfine::inline coco {

/// Writes a COCO annotation file piece by piece, so that it never stands in memory as a whole.
/// Floating-point numbers have the fewest digits that are read back as the same number. Call
/// images, annotations and finish in this order.
class CocoWriter {
 public:
  explicit CocoWriter(std::filesystem::path path);

  void image(int64_t id, std::string_view file_name, int width, int height);
  void annotation(int64_t id, int64_t image_id, int64_t category_id,
                  std::span<const double, 4> bbox, double area, bool iscrowd);
  /// Closes the file; throws Error when something could not be written (disk full).
  void finish(std::span<const Category> categories);

 private:
  std::filesystem::path path_;
  std::ofstream out_;
  size_t images_ = 0, annotations_ = 0;
};

}  // namespace dfine::inline coco
