#include "learner/train_feed.h"

#include <utility>

#include "data/shards/dataset.h"

namespace dfine::inline learner {

TrainFeed::TrainFeed(const PackedDataset& dataset, const FeedOptions& options,
                     const FeedRange& range, const Communicator& group)
    : options_(options),
      group_(group),
      sizes_(options.sizes),
      loader_(dataset, options.loader,
              training_order(options.order, group.rank(), range.steps, range.from)),
      batches_(loader_, group.device()),
      position_(range.from),
      step_(range.first_step) {}

StepInput TrainFeed::next() {
  StepInput input{.batches = {}, .size = sizes_.at(position_.epoch, step_)};
  for (int64_t k = 0; k < options_.order.micro_batches; ++k) {
    input.batches.push_back(batches_.next());
    input.data_time_s += input.batches.back().data_time_s;
  }
  position_ = options_.order.after(position_);
  ++step_;
  return input;
}

void TrainFeed::share_corrupt(int64_t most) {
  if (most == shared_corrupt_) return;
  const std::vector<size_t> mine(loader_.corrupt().begin(), loader_.corrupt().end());
  std::vector<size_t> all;
  for (const auto& of_rank : group_.gather(mine, 0))
    all.insert(all.end(), of_rank.begin(), of_rank.end());
  loader_.count_corrupt(group_.broadcast(all, 0));
  shared_corrupt_ = num_corrupt();
}

}  // namespace dfine::inline learner
