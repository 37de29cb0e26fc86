#pragma once
// Images and their annotations, whatever format they were read from.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/error_code.h"
#include "data/category.h"

namespace dfine::inline data {

struct CocoImage {
  int64_t id = 0;
  int32_t width = -1, height = -1;  // pixels; -1: not given
  std::string file_name;            // relative to the image folder, as written in the file
};

struct CocoAnnotation {
  int64_t id = 0;
  std::array<double, 4> bbox{};  // x, y, w, h in pixels, as written in the file
  double area = 0;               // pixels; w * h when the file has none
  int32_t label =
      -1;  // index into AnnotationSet::categories; -1: unknown category (a problem names it)
  bool iscrowd = false;
  bool area_given = true;
};

/// A record that cannot be used as it stands.
struct CocoProblem {
  static constexpr int64_t kNoImage = -1;
  std::string message;       // names the record and what is wrong with it: `annotation 7 of image 3
                             // ("a.jpg"): bbox holds NaN`
  int64_t image = kNoImage;  // index of the image that cannot be used because of it; kNoImage when
                             // it concerns none of the list
  ErrorCode code = ErrorCode::kRecordInvalid;
};

struct AnnotationSet {
  std::vector<Category> categories;  // ascending ids; the index is the label
  std::vector<CocoImage> images;     // in order of the file
  std::vector<uint64_t>
      offsets;  // [images + 1]: annotations of image i are first[i] .. first[i + 1]
  std::vector<CocoAnnotation> annotations;  // grouped by image, each group in order of the file
  std::vector<CocoProblem> problems;        // in order of the file: images, then annotations
  // That categories of other names give as theirs: folded names (data/class_names.h), in ascending
  // order, each once.
  std::vector<std::string> supercategories;

  std::span<const CocoAnnotation> annotations_of(size_t image) const {
    return std::span(annotations).subspan(offsets[image], offsets[image + 1] - offsets[image]);
  }
};

/// `image 3 ("a.jpg")`, with control characters of the name written as \\x00.
std::string describe(const CocoImage& image);

/// In their order. A message that several images in a row have stands there once.
std::vector<std::string> messages_of(std::span<const CocoProblem> problems);

/// Throws an Error with the code of the first problem. The message names some problems, after
/// `subject` (a file), and counts the others; `hint` says what can be done.
[[noreturn]] void throw_problems(const std::string& subject, std::span<const CocoProblem> problems,
                                 std::string hint);

}  // namespace dfine::inline data
