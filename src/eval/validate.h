#pragma once
// What a model scores on a packed dataset: the COCO metrics and val_loss.
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "distributed/communicator.h"
#include "eval/monitor.h"
#include "input/loader.h"
#include "loss/criterion.h"
#include "metrics/coco_types.h"
#include "metrics/summary.h"
#include "model/dfine.h"
#include "model/postprocess.h"

namespace dfine::inline shards {
class PackedDataset;
}  // namespace dfine::inline shards

namespace dfine::inline eval {

struct Validation {
  /// loss_vfl + loss_bbox + loss_giou of the final prediction with its own matching, weighted and
  /// normalised for all images as one batch. loss_vfl is divided by the number of boxes, the others
  /// by the number of matched pairs. Pairs are fewer than boxes only where an image has more boxes
  /// than queries. It does not depend on the batch size or the number of ranks (up to rounding in
  /// the order of the sum).
  double val_loss = 0;
  CocoSummary summary;
  // Empty on ranks other than zero.
  std::vector<CocoClassSummary> classes;
  std::vector<Detection> detections;  // of all images
  std::string thresholds;             // to_json(BestThresholds), for the checkpoint

  /// val_loss and the 12 metrics, in the order in which metrics.jsonl lists them.
  std::vector<std::pair<std::string, double>> metrics() const;
  /// What checkpoint.monitor compares; AP is NaN without boxes to find.
  Score score() const;
};

struct ValidationOptions {
  LoaderOptions loader;
  int64_t batch_size = 1;  // images per rank
  int64_t max_images = 0;  // the first N; 0: all
};

/// The ground truth of the first `num_images` images, as the annotation file had it.
GroundTruth ground_truth(const PackedDataset& dataset, size_t num_images);

/// A batch as validate() treats it.
struct ValidatedBatch {
  DetectionLossSums loss;
  std::vector<Detections> detections;  // [B]
};

/// Forward, loss and detections of one batch; no gradients. `model`: in evaluation mode, on
/// `device`. `sizes`: [B] pixels of the original images, which the detections are in.
ValidatedBatch validate_batch(DFine& model, const Batch& batch, const std::vector<ImageSize>& sizes,
                              at::Device device);

/// Collective. Every image is seen exactly once: each rank predicts its slice, rank zero evaluates,
/// and all ranks get the result. The model is put into evaluation mode and back into the mode it
/// was in. `interrupted`, collective too, is asked now and then: nothing is returned once it is
/// true.
std::optional<Validation> validate(DFine& model, const PackedDataset& dataset,
                                   const ValidationOptions& options, const Communicator& group,
                                   const std::function<bool()>& interrupted);
/// The same to the end.
Validation validate(DFine& model, const PackedDataset& dataset, const ValidationOptions& options,
                    const Communicator& group);

}  // namespace dfine::inline eval
