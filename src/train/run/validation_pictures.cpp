#include "train/run/validation_pictures.h"

#include <algorithm>
#include <string>

#include "core/text.h"
#include "image/decode.h"
#include "image/draw.h"
#include "image/resize.h"

namespace dfine::inline run {
namespace {

constexpr int kLongSide = 640;
constexpr double kThreshold = 0.3;

Image beside(const Image& left, const Image& right) {
  Image both(left.width + right.width, left.height);
  for (int y = 0; y < left.height; ++y) {
    std::copy_n(left.row(y), left.row_bytes(), both.row(y));
    std::copy_n(right.row(y), right.row_bytes(), both.row(y) + left.row_bytes());
  }
  return both;
}

DrawnBox drawn(const std::array<double, 4>& xywh, double scale, size_t label, std::string text) {
  const auto [x, y, w, h] = xywh;
  return {.x1 = x * scale,
          .y1 = y * scale,
          .x2 = (x + w) * scale,
          .y2 = (y + h) * scale,
          .label = static_cast<int>(label),
          .text = std::move(text)};
}

size_t label_of(const std::vector<Category>& categories, int64_t id) {
  const auto found = std::ranges::find(categories, id, &Category::id);
  return static_cast<size_t>(found - categories.begin());
}

}  // namespace

std::vector<Image> validation_pictures(const PackedDataset& dataset,
                                       std::span<const Detection> detections, size_t count) {
  const auto& categories = dataset.categories();
  std::vector<Image> pictures;
  for (size_t i = 0; i < std::min(count, dataset.size()); ++i) {
    const Image whole = decode_image(dataset.read_bytes(i));
    const double scale =
        std::min(1.0, static_cast<double>(kLongSide) / std::max(whole.width, whole.height));
    Image truth = resize_antialias(whole, std::max(1, static_cast<int>(whole.width * scale)),
                                   std::max(1, static_cast<int>(whole.height * scale)));
    Image found = truth;
    std::vector<DrawnBox> boxes;
    for (const PackedBox& box : dataset.evaluation_boxes(i)) {
      const auto label = static_cast<size_t>(box.label);
      boxes.push_back(drawn(box.xywh, scale, label, categories[label].name));
    }
    draw_boxes(truth, boxes);
    boxes.clear();
    for (const Detection& d : detections) {
      if (d.image_id != dataset.image(i).id || d.score < kThreshold) continue;
      const size_t label = label_of(categories, d.category_id);
      boxes.push_back(
          drawn(d.xywh, scale, label, str_cat(categories[label].name, " ", fixed(d.score, 2))));
    }
    std::ranges::reverse(boxes);  // the best on top
    draw_boxes(found, boxes);
    pictures.push_back(beside(truth, found));
  }
  return pictures;
}

}  // namespace dfine::inline run
