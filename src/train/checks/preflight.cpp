#include "train/checks/preflight.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "distributed/failure.h"
#include "eval/validate.h"
#include "input/batch.h"
#include "input/multiscale.h"
#include "learner/build_model.h"
#include "optim/ema.h"
#include "train/checks/peak_memory.h"

namespace dfine::inline checks {
namespace {

/// Grey images, boxes along the diagonal: what is in them does not change how much memory a step
/// takes.
Batch made_up_batch(ImageSize size, const std::vector<int64_t>& counts, int64_t num_classes) {
  const auto [height, width] = size;
  Batch batch;
  batch.images = at::full({static_cast<int64_t>(counts.size()), 3, height, width}, 128, at::kByte);
  batch.targets.counts = counts;
  std::vector<Tensor> centres{at::empty({0}, at::kFloat)};
  for (const int64_t boxes : counts)
    centres.push_back((at::arange(boxes, at::kFloat) + 1) / static_cast<double>(boxes + 1));
  const Tensor centre = at::cat(centres);
  batch.targets.labels = at::arange(centre.size(0), at::kLong).remainder(num_classes);
  batch.targets.boxes =
      at::stack({centre, centre, at::full_like(centre, 0.2), at::full_like(centre, 0.2)}, 1);
  return batch;
}

/// As many as a rank has at once.
int64_t validation_images(const ValidationOptions& options, const std::optional<DatasetStats>& val,
                          const Communicator& group) {
  if (!val) return 0;
  return std::min((val->images + group.size() - 1) / group.size(), options.batch_size);
}

template <class Trial>
void within_memory(Trial trial, const Communicator& group, const std::string& what,
                   const std::string& hint) {
  try {
    trial();
  } catch (const c10::Error& e) {
    if (!is_out_of_memory(e)) throw;
    throw Error(ErrorCode::kOutOfMemory,
                str_cat(what, " does not fit into the memory of ", group.device().str()), hint);
  }
}

}  // namespace

void try_step(Learner& trial, const FeedOptions& feed, ImageSize size,
              const std::vector<int64_t>& counts) {
  trial.optimizer().allocate_moments();
  const Batch batch =
      made_up_batch(feed.loader.sample.size, counts, trial.model().spec().num_classes);
  trial.step(std::vector<Batch>(static_cast<size_t>(feed.order.micro_batches), batch), size, 0);
}

void try_validation(Learner& trial, ImageSize size, const std::vector<int64_t>& counts,
                    const Communicator& group) {
  DFine& model = trial.model();
  model.eval();
  const Batch batch = made_up_batch(size, counts, model.spec().num_classes);
  const auto predict = [&] {
    return validate_batch(model, batch, std::vector<ImageSize>(counts.size(), size),
                          group.device());
  };
  if (trial.ema() != nullptr) {
    with_ema_weights(*trial.ema(), predict);
  } else {
    predict();
  }
  model.train();
}

Preflight preflight(const RunPlan& plan, const DatasetStats& train,
                    const std::optional<DatasetStats>& val, const Communicator& group) {
  const FeedOptions& feed = plan.feed;
  const ModelSpec& spec = plan.model.spec;
  const ImageSize image_size = feed.loader.sample.size;
  Preflight result{.size = MultiScaleSampler(feed.sizes).largest(), .boxes = {}};
  const Crowding mine = training_crowding(feed, train.boxes_of_image, group.rank(), group.size());
  const auto most = group.max({mine.image, mine.batch});
  result.boxes = {.image = most[0], .batch = most[1]};
  result.validation_images = validation_images(plan.validation.options, val, group);

  std::optional<Learner> trial;
  const std::string hint = str_cat(
      "lower data.batch_size (and raise train.gradient_accumulation_steps as much), lower "
      "data.image_size, set data.multiscale = false, ",
      feed.loader.sample.augment && joins_images(*feed.loader.sample.augment)
          ? str_cat("lower ",
                    listed(augmentation_keys([](const Augmentation& each) { return each.joins; })),
                    ", ")
          : "",
      spec.num_denoising > 0 && result.boxes.image > spec.num_denoising
          ? "set model.max_denoising_queries, "
          : "",
      "or take images with fewer boxes");
  within_memory(
      [&] {
        trial.emplace(build_model(plan.model, false), plan.learner, group);
        try_step(*trial, feed, result.size,
                 most_expensive_counts(result.boxes, feed.order.batch_size, spec.num_denoising,
                                       spec.max_denoising_queries));
      },
      group,
      str_cat("the largest step of this run (", counted(feed.order.batch_size, "image"), " of ",
              result.size.height, "x", result.size.width, " with ", result.boxes.image,
              " boxes in one, ", result.boxes.batch, " in all)"),
      hint);
  result.peak_bytes = peak_bytes(group.device());
  if (result.validation_images == 0) return result;

  within_memory(
      [&] {
        const Crowding boxes = plain_crowding(val->boxes_of_image, result.validation_images);
        try_validation(*trial, image_size,
                       most_expensive_counts(boxes, result.validation_images, 0, 0), group);
      },
      group,
      str_cat("a validation batch of this run (", counted(result.validation_images, "image"),
              " of ", image_size.height, "x", image_size.width, ")"),
      "lower validate.batch_size (auto: data.batch_size) or data.image_size");
  result.validation_peak_bytes = peak_bytes(group.device());
  return result;
}

}  // namespace dfine::inline checks
