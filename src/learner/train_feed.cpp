#include "learner/train_feed.h"

#include <utility>

#include "data/shards/dataset.h"

namespace dfine::inline learner {

TrainFeed::TrainFeed(const PackedDataset& dataset, const FeedOptions& options,
                     const Communicator& group)
    : options_(options),
      group_(group),
      sizes_(options.sizes),
      loader_(dataset, options.loader),
      batches_(loader_, group.device()) {}

StepInput TrainFeed::next(int64_t step) {
  const int64_t epoch = step / options_.layout.steps_per_epoch,
                in_epoch = step % options_.layout.steps_per_epoch;
  if (step != expected_step_ || in_epoch == 0) {
    EpochSampler plan(options_.num_images, options_.layout.global_batch, options_.shuffle,
                      options_.seed, epoch);
    batches_.start(training_order(std::move(plan), epoch, in_epoch, group_.rank(),
                                  options_.batch_size, options_.micro_batches));
  }
  expected_step_ = step + 1;
  StepInput input{.batches = {}, .size = sizes_.at(epoch, step)};
  for (int64_t k = 0; k < options_.micro_batches; ++k) {
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
