#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "eval/loaded_model.h"
#include "predict/detector.h"
#include "predict/prepared_picture.h"

namespace dfine::inline predict {

struct PredictionOptions {
  std::vector<int64_t> category_ids;  // [C] by label
  std::optional<double> nms;          // the IoU above which boxes of one class are suppressed
  std::optional<int64_t> top_k;       // of a picture: those with the highest scores
};

/// From the boxes that the network found in the windows of a picture to its detections as they are
/// written. `model` lives as long as this.
class PredictionMaker {
 public:
  PredictionMaker(const LoadedModel& model, PredictionOptions options)
      : model_(model), options_(std::move(options)), has_name_(model.has_class_names()) {}

  std::vector<Prediction> operator()(const PreparedPicture& picture,
                                     const std::vector<std::vector<ScoredBox>>& found) const;

 private:
  const LoadedModel& model_;
  const PredictionOptions options_;
  const bool has_name_;
};

}  // namespace dfine::inline predict
