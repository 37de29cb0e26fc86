#include "data/coco/read_coco.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/coco/raw_coco.h"
#include "data/id_index.h"

namespace dfine::inline coco {
using enum ErrorCode;
namespace {

constexpr size_t kNone = IdIndex::kNone;

std::string in_quotes(std::string_view text) {
  return str_cat('"', printable(text), '"');
}

/// Takes the records of `raw` apart and relates them by their ids.
class Resolver {
 public:
  explicit Resolver(RawCoco raw)
      : raw_(std::move(raw)),
        category_index_(raw_.categories.size()),
        image_index_(raw_.images.size()) {}

  AnnotationSet resolve(const std::filesystem::path& path) {
    categories(path);
    images();
    annotations();
    return std::move(coco_);
  }

 private:
  void categories(const std::filesystem::path& path) {
    coco_.categories = std::move(raw_.categories);
    coco_.supercategories = std::move(raw_.supercategories);
    std::ranges::sort(coco_.supercategories);
    coco_.supercategories.erase(
        std::unique(coco_.supercategories.begin(), coco_.supercategories.end()),
        coco_.supercategories.end());
    if (coco_.categories.empty())
      throw Error(kDatasetTooSmall, str_cat(path.string(), " lists no categories"),
                  "there is nothing to learn without at least one");
    std::sort(coco_.categories.begin(), coco_.categories.end(),
              [](const Category& a, const Category& b) { return a.id < b.id; });
    for (size_t label = 0; label < coco_.categories.size(); ++label) {
      const Category& category = coco_.categories[label];
      if (category_index_.insert(category.id, label) != kNone) {
        throw Error(
            kRecordInvalid,
            str_cat(path.string(), " has two categories with id ", category.id, ": ",
                    in_quotes(coco_.categories[label - 1].name), " and ", in_quotes(category.name)),
            "give each category its own id");
      }
    }
  }

  std::string image_name(size_t i) const {
    if (raw_.images[i].id) return describe(coco_.images[i]);
    return str_cat("images[", i, "] (", in_quotes(coco_.images[i].file_name), ")");
  }

  void problem(std::string message, size_t image) {
    coco_.problems.push_back(
        {std::move(message), image == kNone ? CocoProblem::kNoImage : static_cast<int64_t>(image)});
  }

  void images() {
    coco_.images.reserve(raw_.images.size());
    auto fault = raw_.image_faults.begin();
    for (size_t i = 0; i < raw_.images.size(); ++i) {
      RawImage& raw = raw_.images[i];
      raw.image.id = raw.id.value_or(0);
      coco_.images.push_back(std::move(raw.image));
      if (fault != raw_.image_faults.end() && fault->record == i)
        problem(str_cat(image_name(i), ": ", (fault++)->message), i);
      if (!raw.id) continue;
      if (const size_t before = image_index_.insert(*raw.id, i); before != kNone) {
        const std::string message = str_cat(image_name(i), " has the same id as images[", before,
                                            "] (", in_quotes(coco_.images[before].file_name), ")");
        problem(message, before);
        problem(message, i);
      }
    }
  }

  std::string annotation_name(size_t i, size_t image) const {
    const RawAnnotation& raw = raw_.annotations[i];
    std::string name = raw.id ? str_cat("annotation ", *raw.id) : str_cat("annotations[", i, "]");
    if (image != kNone) name += str_cat(" of ", image_name(image));
    return name;
  }

  void annotations() {
    IdIndex seen(raw_.annotations.size());
    std::vector<size_t> image_of(raw_.annotations.size(), kNone);
    auto fault = raw_.annotation_faults.begin();
    raw_.annotations.for_each([&](size_t i, RawAnnotation& raw) {
      const size_t image = raw.image_id ? image_index_.find(*raw.image_id) : kNone;
      image_of[i] = image;
      raw.annotation.id = raw.id.value_or(0);
      if (fault != raw_.annotation_faults.end() && fault->record == i)
        problem(str_cat(annotation_name(i, image), ": ", (fault++)->message), image);
      if (raw.image_id && image == kNone)
        problem(str_cat(annotation_name(i, image), " has an unknown image_id ", *raw.image_id),
                kNone);
      if (raw.category_id) {
        const size_t label = category_index_.find(*raw.category_id);
        if (label == kNone) {
          problem(
              str_cat(annotation_name(i, image), " has an unknown category_id ", *raw.category_id),
              image);
        } else {
          raw.annotation.label = static_cast<int32_t>(label);
        }
      }
      if (!raw.id) return;
      if (const size_t before = seen.insert(*raw.id, i); before != kNone) {
        const std::string message =
            str_cat(annotation_name(i, image), " has the same id as ",
                    image_of[before] == image ? str_cat("annotations[", before, "]")
                                              : annotation_name(before, image_of[before]));
        if (image_of[before] != image) problem(message, image_of[before]);
        problem(message, image);
      }
    });
    group(image_of);
  }

  /// Counting sort by image: keeps the order of the file within an image.
  void group(const std::vector<size_t>& image_of) {
    coco_.offsets.assign(coco_.images.size() + 1, 0);
    for (const size_t image : image_of) {
      if (image != kNone) ++coco_.offsets[image + 1];
    }
    std::partial_sum(coco_.offsets.begin(), coco_.offsets.end(), coco_.offsets.begin());
    coco_.annotations.resize(coco_.offsets.back());
    std::vector<uint64_t> next(coco_.offsets.begin(), coco_.offsets.end() - 1);
    raw_.annotations.for_each([&](size_t i, const RawAnnotation& raw) {
      if (image_of[i] != kNone) coco_.annotations[next[image_of[i]]++] = raw.annotation;
    });
  }

  RawCoco raw_;
  AnnotationSet coco_;
  IdIndex category_index_, image_index_;
};

}  // namespace

AnnotationSet read_coco(const std::filesystem::path& path, int jobs) {
  const int threads = jobs > 0 ? jobs : static_cast<int>(std::thread::hardware_concurrency());
  return Resolver(read_coco_json(path, threads)).resolve(path);
}

}  // namespace dfine::inline coco
