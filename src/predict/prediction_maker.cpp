#include "predict/prediction_maker.h"

#include <algorithm>

#include "boxes/merge_tiles.h"
#include "boxes/nms.h"

namespace dfine::inline predict {

namespace {

/// In pixels of the picture, each object once.
std::vector<ScoredBox> merged(const std::vector<Window>& windows,
                              const std::vector<std::vector<ScoredBox>>& found) {
  if (windows.size() == 1) return found.front();
  std::vector<TileDetections> tiles;
  for (size_t k = 0; k < windows.size(); ++k) {
    const Window& w = windows[k];
    tiles.push_back({.tile = {w.left, w.top, w.width, w.height}, .boxes = found[k]});
    for (ScoredBox& box : tiles.back().boxes)
      for (size_t c = 0; c < 4; ++c) box.xyxy[c] += static_cast<float>(c % 2 == 0 ? w.left : w.top);
  }
  return merge_tiles(tiles);
}

std::vector<ScoredBox> suppressed(const std::vector<ScoredBox>& boxes, double iou) {
  std::vector<ScoredBox> kept;
  for (const size_t place : nms(boxes, iou)) kept.push_back(boxes[place]);
  return kept;
}

}  // namespace

std::vector<Prediction> PredictionMaker::operator()(
    const PreparedPicture& picture, const std::vector<std::vector<ScoredBox>>& found) const {
  std::vector<ScoredBox> boxes = merged(picture.windows, found);
  if (options_.nms) boxes = suppressed(boxes, *options_.nms);
  if (options_.top_k) boxes.resize(std::min(boxes.size(), static_cast<size_t>(*options_.top_k)));
  std::vector<Prediction> predictions;
  for (const ScoredBox& box : boxes)
    predictions.push_back({.category_id = options_.category_ids.at(static_cast<size_t>(box.label)),
                           .label = model_.class_name(box.label),
                           .has_name = has_name_,
                           .class_index = box.label,
                           .xyxy = box.xyxy,
                           .score = box.score});
  return predictions;
}

}  // namespace dfine::inline predict
