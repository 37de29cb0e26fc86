#include "learner/train_feed.h"

#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "data/shards/dataset.h"

namespace dfine::inline learner {

EpochLayout run_shape(const Config& config, int ranks, int64_t num_images) {
  const int64_t accumulate = config.train.gradient_accumulation_steps,
                global_batch = config.data.batch_size * ranks * accumulate;
  if (num_images < global_batch) {
    throw Error(str_cat("data.train has ", counted(num_images, "image"),
                        ", fewer than the global batch of ", global_batch, " (",
                        counted(ranks, "rank"), " x ", config.data.batch_size,
                        accumulate > 1 ? str_cat(" x ", accumulate) : "", ")"),
                "use fewer ranks, a smaller data.batch_size or a smaller "
                "train.gradient_accumulation_steps");
  }
  return {.steps_per_epoch = num_images / global_batch,
          .global_batch = global_batch,
          .world_size = ranks};
}

TrainFeed::TrainFeed(const PackedDataset& dataset, const Config& config, const EpochLayout& shape,
                     int64_t num_images, const Communicator& group)
    : config_(config),
      shape_(shape),
      num_images_(num_images),
      group_(group),
      sizes_(config),
      loader_(dataset, loader_options(config, true, group.device().is_cuda())),
      batches_(loader_, group.device()) {}

StepInput TrainFeed::next(int64_t step) {
  const int64_t epoch = step / shape_.steps_per_epoch, in_epoch = step % shape_.steps_per_epoch;
  if (step != expected_step_ || in_epoch == 0) {
    EpochSampler plan(num_images_, shape_.global_batch, config_.data.shuffle,
                      static_cast<uint64_t>(config_.run.seed), epoch);
    batches_.start(training_order(std::move(plan), epoch, in_epoch, group_.rank(),
                                  config_.data.batch_size,
                                  config_.train.gradient_accumulation_steps));
  }
  expected_step_ = step + 1;
  StepInput input{.batches = {}, .size = sizes_.at(epoch, step)};
  for (int64_t k = 0; k < config_.train.gradient_accumulation_steps; ++k) {
    input.batches.push_back(batches_.next());
    input.wait_s += input.batches.back().wait_s;
  }
  return input;
}

void TrainFeed::share_bad(int64_t most) {
  if (most == shared_bad_) return;
  const std::vector<size_t> mine(loader_.bad().begin(), loader_.bad().end());
  std::vector<size_t> all;
  for (const auto& of_rank : group_.gather(mine, 0))
    all.insert(all.end(), of_rank.begin(), of_rank.end());
  loader_.count_bad(group_.broadcast(all, 0));
  shared_bad_ = num_bad();
}

}  // namespace dfine::inline learner
