#include "eval/validate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/details.h"
#include "core/error.h"
#include "core/progress_line.h"
#include "core/text.h"
#include "data/shards/dataset.h"
#include "input/batch.h"
#include "loss/criterion.h"
#include "metrics/coco_eval.h"
#include "model/postprocess.h"

namespace dfine::inline eval {
namespace {

/// Detections with the original image and category ids; boxes as the official evaluator converts
/// them, in float.
void append_detections(const dfine::Detections& found, int64_t image_id,
                       const std::vector<Category>& categories, std::vector<Detection>& out) {
  const Tensor scores = found.scores.cpu().to(at::kFloat).contiguous(),
               labels = found.labels.cpu().contiguous();
  const Tensor boxes = found.boxes.cpu().to(at::kFloat).contiguous();  // [K, 4] x0 y0 x1 y1
  if (!at::isfinite(scores).all().item<bool>() || !at::isfinite(boxes).all().item<bool>()) {
    throw Error(ErrorCode::kNotFinite,
                str_cat("the model's predictions for image ", image_id, " are not finite"),
                "the training of these weights has diverged: take an earlier checkpoint");
  }
  const float* box = boxes.const_data_ptr<float>();
  for (int64_t k = 0; k < scores.size(0); ++k, box += 4) {
    const auto label = static_cast<size_t>(labels.const_data_ptr<int64_t>()[k]);
    out.push_back({.image_id = image_id,
                   .category_id = categories[label].id,
                   .xywh = {box[0], box[1], box[2] - box[0], box[3] - box[1]},
                   .score = scores.const_data_ptr<float>()[k]});
  }
}

/// In evaluation mode while it lives, then in the mode of before.
class EvaluationMode {
 public:
  explicit EvaluationMode(DFine& model) : model_(model), was_training_(model.is_training()) {
    model.eval();
  }
  ~EvaluationMode() { model_.train(was_training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  DFine& model_;
  const bool was_training_;
};

}  // namespace

std::vector<std::pair<std::string, double>> Validation::metrics() const {
  std::vector<std::pair<std::string, double>> all{{"val_loss", val_loss}};
  for (const auto& [name, value] : summary.metrics()) all.emplace_back(name, value);
  return all;
}

Score Validation::score() const {
  return {.ap = summary.ap < 0 ? std::numeric_limits<double>::quiet_NaN() : summary.ap,
          .val_loss = val_loss};
}

GroundTruth ground_truth(const PackedDataset& dataset, size_t num_images) {
  GroundTruth truth;
  const auto& categories = dataset.categories();
  for (const auto& category : categories) truth.categories.push_back({category.id, category.name});
  for (size_t i = 0; i < num_images; ++i) {
    const int64_t image_id = dataset.image(i).id;
    truth.image_ids.push_back(image_id);
    for (const auto& box : dataset.evaluation_boxes(i)) {
      truth.boxes.push_back({.image_id = image_id,
                             .category_id = categories[static_cast<size_t>(box.label)].id,
                             .annotation_id = box.annotation_id,
                             .xywh = box.xywh,
                             .area = box.area,
                             .iscrowd = box.iscrowd});
    }
  }
  return truth;
}

ValidatedBatch validate_batch(DFine& model, const Batch& batch, const std::vector<ImageSize>& sizes,
                              at::Device device) {
  const at::NoGradGuard no_grad;
  const Targets targets = to_device(batch.targets, device);
  const ModelOutput output = model.forward(to_model_input(batch.images, device));
  const HeadOutput prediction = output.prediction();
  return {
      .loss = detection_loss_sums(prediction, targets, {.num_classes = model.spec().num_classes}),
      .detections = postprocess(prediction, sizes)};
}

std::optional<Validation> validate(DFine& model, const PackedDataset& dataset,
                                   const ValidationOptions& options, const Communicator& group,
                                   const std::function<bool()>& interrupted) {
  constexpr int64_t kBatchesPerLook = 4;
  const EvaluationMode mode(model);
  const size_t num_images = options.max_images > 0
                                ? std::min(static_cast<size_t>(options.max_images), dataset.size())
                                : dataset.size();

  DetectionLossSums loss;
  std::vector<Detection> detections;
  Loader loader(dataset, options.loader,
                evaluation_order(static_cast<int64_t>(num_images), group.rank(), group.size(),
                                 options.batch_size));
  ProgressLine progress("validated");
  // As many rounds on all ranks, though some may have a batch less.
  const int64_t mine = loader.num_batches(), rounds = group.max({mine})[0];
  for (int64_t round = 0; round < rounds; ++round) {
    if (round % kBatchesPerLook == 0 && interrupted()) return std::nullopt;
    if (round >= mine) continue;
    const Batch batch = loader.next();
    std::vector<ImageSize> sizes;
    for (const size_t i : batch.samples)
      sizes.push_back({dataset.image(i).height, dataset.image(i).width});
    const ValidatedBatch found = validate_batch(model, batch, sizes, group.device());
    loss += found.loss;
    progress.count(std::min<int64_t>((round + 1) * options.batch_size * group.size(),
                                     static_cast<int64_t>(num_images)),
                   static_cast<int64_t>(num_images), "image");
    for (size_t b = 0; b < sizes.size(); ++b) {
      append_detections(found.detections[b], dataset.image(batch.samples[b]).id,
                        dataset.categories(), detections);
    }
  }
  Validation result;
  const auto sums = group.sum({loss.vfl, loss.box, loss.boxes, loss.pairs});
  result.val_loss = DetectionLossSums{sums[0], sums[1], sums[2], sums[3]}.loss();
  std::vector<Detection> all;  // in the order of the ranks
  for (const auto& of_rank : group.gather(detections, 0))
    all.insert(all.end(), of_rank.begin(), of_rank.end());
  if (group.rank() == 0) {
    const GroundTruth truth = ground_truth(dataset, num_images);
    const CocoEvaluation evaluation = evaluate_coco(truth, all);
    result.thresholds = to_json(best_thresholds(truth, all)).dump();
    result.summary = summarize(evaluation);
    result.classes = summarize_classes(evaluation);
    result.detections = std::move(all);
  }
  result.summary = group.broadcast(result.summary, 0);
  return result;
}

Validation validate(DFine& model, const PackedDataset& dataset, const ValidationOptions& options,
                    const Communicator& group) {
  return *validate(model, dataset, options, group, [] { return false; });
}

}  // namespace dfine::inline eval
