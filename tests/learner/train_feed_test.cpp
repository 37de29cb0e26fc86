#include "learner/train_feed.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <vector>

#include "data/shards/dataset.h"
#include "input/shipped_pack.h"
#include "train/plan/resolve.h"

namespace dfine {
namespace {

constexpr int64_t kImages = 11;

Config config() {
  Config config;
  config.data.batch_size = 2;
  config.data.image_size = {64, 64};
  config.data.augment = Augment::kFlip;
  config.data.multiscale = true;
  config.data.workers = 0;
  config.train.gradient_accumulation_steps = 2;
  return config;
}

struct Seen {
  std::vector<size_t> samples;
  std::vector<Tensor> images;
  ImageSize size;
};

Seen next_step(TrainFeed& feed) {
  const StepInput input = feed.next();
  Seen seen;
  seen.size = input.size;
  for (const Batch& batch : input.batches) {
    seen.samples.insert(seen.samples.end(), batch.samples.begin(), batch.samples.end());
    seen.images.push_back(batch.images.clone());
  }
  return seen;
}

// A resume starts a feed of its own at any step of an epoch: 11 images in batches of 4 make two.
TEST(TrainFeed, StartedAtAnyStepItGivesWhatThatStepHadBefore) {
  const ShippedPack pack;
  const auto dataset = PackedDataset::open(pack.path());
  const Communicator single(at::kCPU);
  const EpochLayout layout = epoch_layout(config(), 1, kImages);
  ASSERT_EQ(layout.steps_per_epoch, 2);
  const FeedOptions options =
      feed_options(config(), /*ranks=*/1, kImages, /*total_steps=*/6, /*cuda=*/false);
  TrainFeed feed(dataset, options, {.steps = 6}, single);
  std::vector<Seen> whole;
  for (int64_t step = 0; step < 6; ++step) whole.push_back(next_step(feed));
  EXPECT_NE(whole[0].samples, whole[2].samples);  // epochs differ
  for (int64_t first = 1; first < 6; ++first) {
    TrainFeed resumed(dataset, options,
                      {.from = {first / 2, first % 2 * 4}, .first_step = first, .steps = 6 - first},
                      single);
    for (int64_t step = first; step < 6; ++step) {
      const Seen again = next_step(resumed);
      const Seen& before = whole[static_cast<size_t>(step)];
      EXPECT_EQ(again.samples, before.samples) << first << ", " << step;
      EXPECT_EQ(again.size, before.size) << first << ", " << step;
      ASSERT_EQ(again.images.size(), 2U);
      for (size_t k = 0; k < 2; ++k)
        EXPECT_TRUE(at::equal(again.images[k], before.images[k])) << first << ", " << step;
    }
  }
}

}  // namespace
}  // namespace dfine
