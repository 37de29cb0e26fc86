#include "data/packing/warnings.h"

#include <algorithm>
#include <map>

#include "core/text.h"
#include "data/class_names.h"
#include "data/packing/unused_classes.h"

namespace dfine::inline packing {
namespace {

constexpr size_t kRelativeShare = 10;  // of all boxes one in ten: not a few slips of a hand

/// `"a" (id 1), "b" (id 2) and 3 more`.
std::string list_of(const std::vector<Category>& categories) {
  constexpr size_t kShown = 5;
  std::string text;
  for (size_t k = 0; k < std::min(kShown, categories.size()); ++k)
    text += str_cat(k == 0 ? "" : ", ", describe(categories[k]));
  if (categories.size() > kShown) text += str_cat(" and ", categories.size() - kShown, " more");
  return text;
}

/// "1, 2 and 3".
std::string ids_of(const std::vector<Category>& categories) {
  std::string text;
  for (size_t k = 0; k < categories.size(); ++k)
    text += str_cat(k == 0 ? "" : k + 1 == categories.size() ? " and " : ", ", categories[k].id);
  return text;
}

class Finder {
 public:
  Finder(const std::vector<Category>& categories, const PackCounts& counts,
         std::span<const std::string> supercategories)
      : categories_(categories), counts_(counts), supercategories_(supercategories) {}

  std::vector<DataWarning> find() {
    relative_boxes();
    crowds();
    crowded_images();
    equal_names();
    groups();
    return std::move(found_);
  }

 private:
  void add(std::string text, std::string advice) {
    found_.push_back({std::move(text), std::move(advice)});
  }

  void relative_boxes() {
    size_t all = 0;
    for (const ClassCount& of_class : counts_.classes) all += of_class.all();
    if (counts_.relative == 0 || counts_.relative * kRelativeShare < all) return;
    const bool only = all == 1, every = counts_.relative == all;
    const auto number = [](size_t count) { return with_commas(static_cast<long long>(count)); };
    add(str_cat(
            only    ? "the only box has"
            : every ? str_cat("all ", number(all), " boxes have")
                    : str_cat(number(counts_.relative), " of ", number(all), " boxes have"),
            " coordinates that seem to be relative to the image (0 to 1), but pixels are expected"),
        "multiply x and width by the image's width, y and height by its height. In COCO, x and y "
        "are those of the top left corner. YOLO labels, which are relative, need --format yolo");
  }

  void crowds() {
    size_t boxes = 0, crowds = 0;
    std::vector<Category> of_crowds;
    for (size_t label = 0; label < categories_.size(); ++label) {
      const ClassCount& of_class = counts_.classes[label];
      boxes += of_class.boxes;
      crowds += of_class.crowds;
      if (of_class.boxes == 0 && of_class.crowds > 0) of_crowds.push_back(categories_[label]);
    }
    if (of_crowds.empty()) return;
    constexpr const char* kAdvice =
        "set iscrowd to 0 where an annotation marks a single object; annotation programs may write "
        "1 for every mask";
    if (boxes == 0) {
      add(str_cat("all ",
                  counted(static_cast<long long>(crowds), "annotation is a crowd region",
                          "annotations are crowd regions"),
                  " (iscrowd 1): training sees no box at all"),
          kAdvice);
    } else {
      add(str_cat(
              counted(static_cast<long long>(of_crowds.size()), "class has", "classes have"),
              " only crowd regions (iscrowd 1), which training does not see: ", list_of(of_crowds)),
          kAdvice);
    }
  }

  void crowded_images() {
    if (counts_.crowded_images == 0) return;
    add(str_cat(counted(static_cast<long long>(counts_.crowded_images), "image has", "images have"),
                " more than ", PackCounts::kCrowded, " boxes; the most is ",
                with_commas(static_cast<long long>(counts_.most_boxes)), ", in ",
                counts_.most_boxes_in),
        str_cat(
            "a model finds at most model.num_queries objects per image (", PackCounts::kCrowded,
            " unless set). Set it to the largest number of boxes, or cut such images into tiles"));
  }

  void equal_names() {
    std::map<std::string, std::vector<Category>> meanings;
    for (const Category& category : categories_)
      meanings[class_meaning(category.name)].push_back(category);
    for (const auto& [meaning, same] : meanings) {
      if (same.size() < 2) continue;
      const std::string& name = same.front().name;
      const bool equal =
          std::ranges::all_of(same, [&](const Category& c) { return c.name == name; });
      add(equal ? str_cat(same.size(), " classes have the same name \"", name, "\": ids ",
                          ids_of(same))
                : str_cat(same.size(), " classes count as one name: ", list_of(same)),
          "merge them or rename one. Classes are distinguished by their names when weights are "
          "loaded and results are read, without regard to case, spaces, _, -, / and known "
          "synonyms");
    }
  }

  void groups() {
    for (size_t label = 0; label < categories_.size(); ++label) {
      if (counts_.classes[label].all() > 0) continue;
      if (!groups_others(categories_[label], supercategories_)) continue;
      add(str_cat("class ", describe(categories_[label]),
                  " has no annotations; it is the supercategory of other classes, as exports of "
                  "Roboflow begin with"),
          "--drop-group-classes packs without it; use it for training and validation alike");
    }
  }

  const std::vector<Category>& categories_;
  const PackCounts& counts_;
  std::span<const std::string> supercategories_;
  std::vector<DataWarning> found_;
};

}  // namespace

std::vector<DataWarning> find_warnings(const std::vector<Category>& categories,
                                       const PackCounts& counts,
                                       std::span<const std::string> supercategories) {
  return Finder(categories, counts, supercategories).find();
}

}  // namespace dfine::inline packing
