#include "predict/prediction_maker.h"

#include <algorithm>

namespace dfine::inline predict {

std::vector<Prediction> PredictionMaker::operator()(
    const PreparedPicture&, const std::vector<std::vector<FoundBox>>& found) const {
  std::vector<FoundBox> boxes = found.front();
  if (options_.top_k) boxes.resize(std::min(boxes.size(), static_cast<size_t>(*options_.top_k)));
  std::vector<Prediction> predictions;
  for (const FoundBox& box : boxes)
    predictions.push_back({.category_id = options_.category_ids.at(static_cast<size_t>(box.label)),
                           .label = model_.class_name(box.label),
                           .has_name = has_name_,
                           .class_index = box.label,
                           .xyxy = box.xyxy,
                           .score = box.score});
  return predictions;
}

}  // namespace dfine::inline predict
