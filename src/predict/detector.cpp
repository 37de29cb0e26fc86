#include "predict/detector.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "input/batch.h"
#include "model/postprocess.h"

namespace dfine::inline predict {

Detector::Detector(LoadedModel& model, std::vector<double> thresholds, std::vector<int64_t> labels)
    : model_(model), thresholds_(std::move(thresholds)), labels_(std::move(labels)) {
  if (!labels_.empty()) {
    chosen_ = at::tensor(labels_).to(model.device);
  } else {
    labels_.resize(thresholds_.size());
    std::iota(labels_.begin(), labels_.end(), 0);
  }
}

std::vector<std::vector<ScoredBox>> Detector::detect(const Tensor& images,
                                                     const std::vector<ImageSize>& sizes) {
  const at::NoGradGuard no_grad;
  HeadOutput head = model_.model->forward(to_model_input(images, model_.device)).prediction();
  if (chosen_.defined()) head.logits = head.logits.index_select(2, chosen_);
  std::vector<std::vector<ScoredBox>> found;
  for (const Detections& of_image : postprocess(head, sizes)) {
    const auto [height, width] = sizes[found.size()];
    auto& kept = found.emplace_back();
    const Tensor scores = of_image.scores.cpu().to(at::kFloat).contiguous(),
                 labels = of_image.labels.cpu().contiguous(),
                 boxes = of_image.boxes.cpu().to(at::kFloat).contiguous();
    if (!at::isfinite(scores).all().item<bool>() || !at::isfinite(boxes).all().item<bool>())
      throw Error(ErrorCode::kNotFinite, "the model's scores or boxes are not finite",
                  "the training of these weights has diverged: take an earlier checkpoint");
    for (int64_t k = 0; k < scores.size(0); ++k) {
      const float score = scores.const_data_ptr<float>()[k];
      highest_ = std::max(highest_, static_cast<double>(score));
      const int64_t label = labels_[static_cast<size_t>(labels.const_data_ptr<int64_t>()[k])];
      if (score < thresholds_[static_cast<size_t>(label)]) continue;
      ScoredBox& box = kept.emplace_back(ScoredBox{.xyxy = {}, .score = score, .label = label});
      for (size_t c = 0; c < 4; ++c)
        box.xyxy[c] = std::clamp(boxes.const_data_ptr<float>()[4 * k + static_cast<int64_t>(c)],
                                 0.0F, static_cast<float>(c % 2 == 0 ? width : height));
    }
  }
  return found;
}

}  // namespace dfine::inline predict
