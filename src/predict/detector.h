#pragma once
// The network of dfine-predict: windows of pictures in, boxes out.
#include <cstdint>
#include <vector>

#include "boxes/scored_box.h"
#include "core/image_size.h"
#include "eval/loaded_model.h"
#include "tensor.h"

namespace dfine::inline predict {

class Detector {
 public:
  /// `thresholds`: [C] by label, the minimum scores. `labels`: the classes that are looked for, in
  /// ascending order; empty: all. `model` lives as long as this.
  Detector(LoadedModel& model, std::vector<double> thresholds, std::vector<int64_t> labels);

  /// `images`: uint8 [B, 3, H, W]; `sizes`: [B], the windows before they were resized to H x W. For
  /// each image the boxes of the classes that are looked for, highest score first. There are at
  /// most kTopPairs (model/postprocess.h), each with at least the threshold of its class. They are
  /// in pixels of the window and cut to its borders. Throws Error when a score or a box is not
  /// finite.
  std::vector<std::vector<ScoredBox>> detect(const Tensor& images,
                                             const std::vector<ImageSize>& sizes);

  /// The best score seen so far, kept or not.
  double highest_score() const { return highest_; }

 private:
  LoadedModel& model_;
  std::vector<double> thresholds_;
  std::vector<int64_t> labels_;  // all of them, where none are chosen
  Tensor chosen_;                // int64, the same on the model's device; undefined: all
  double highest_ = 0;
};

}  // namespace dfine::inline predict
