#include "train/checks/crowding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "augment/augmenter.h"
#include "input/epoch_sampler.h"
#include "model/denoising.h"
#include "train/plan/resolve.h"

namespace dfine {
namespace {

using testing::Each;
using testing::ElementsAre;

/// Batches of 2 on 2 ranks.
Config two_images(double mosaic, double mixup) {
  Config config;
  config.data.batch_size = 2;
  config.data.augment = Augment::kDfine;
  config.augment.mosaic = mosaic;
  config.augment.mixup = mixup;
  return config;
}
const EpochLayout kShape{.steps_per_epoch = 2, .global_batch = 4, .world_size = 2};

Crowding crowding(const Config& config, const EpochLayout& layout, int64_t total_steps,
                  const std::vector<int32_t>& boxes, int64_t part = 0, int64_t parts = 1) {
  const auto images = static_cast<int64_t>(boxes.size());
  return training_crowding(
      feed_options(config, layout.world_size, images, total_steps, /*cuda=*/false), boxes, part,
      parts);
}

void expect(const Crowding& found, int64_t image, int64_t batch) {
  EXPECT_EQ(found.image, image);
  EXPECT_EQ(found.batch, batch);
}

TEST(Crowding, WithoutMosaicTheMostCrowdedImagesMeetOnce) {
  const std::vector<int32_t> boxes{3, 50, 0, 7, 20, 1, 1, 1};
  expect(plain_crowding(boxes, 1), 50, 50);
  expect(plain_crowding(boxes, 3), 50, 77);
  expect(plain_crowding(boxes, 100), 50, 83);
  expect(plain_crowding({}, 4), 0, 0);
  expect(crowding(two_images(0, 0), kShape, 20, boxes), 50, 70);
  Config flip = two_images(1, 1);
  flip.data.augment = Augment::kFlip;  // which uses neither
  expect(crowding(flip, kShape, 20, boxes), 50, 70);
}

// Where all images have 7 boxes, whatever is drawn: a mosaic is of 4 images, a blend of 2, a blend
// of mosaics of 8.
TEST(Crowding, EqualImagesCountAsOftenAsTheyAreUsed) {
  const std::vector<int32_t> boxes(8, 7);
  expect(crowding(two_images(1, 0), kShape, 4, boxes), 28, 56);
  expect(crowding(two_images(0, 1), kShape, 4, boxes), 14, 28);
  expect(crowding(two_images(1, 1), kShape, 4, boxes), 56, 112);
}

TEST(Crowding, MosaicEndsAtTheStopEpoch) {
  Config config = two_images(1, 1);
  config.train.stage2_epoch = 3;
  const std::vector<int32_t> boxes(8, 7);
  expect(crowding(config, kShape, 20, boxes), 56, 112);
  // All parts but those of the first three epochs have none.
  expect(crowding(config, kShape, 20, boxes, 3, 10), 7, 14);
}

// One crowded image of 1000: eight times its boxes is 4,000, but no draw of this run takes it more
// than twice. The numbers of every sample are counted here from what the loader is told to load
// (augment/augmenter.h).
TEST(Crowding, IsWhatTheRunDraws) {
  Config config = two_images(0.5, 0.5);
  config.run.seed = 11;
  const EpochLayout shape{.steps_per_epoch = 250, .global_batch = 4, .world_size = 2};
  constexpr int64_t kSteps = 700;  // two epochs and 200 steps of the third
  std::vector<int32_t> boxes(1000, 2);
  boxes[400] = 500;

  int64_t most = 0, in_batch = 0;
  const Augmenter augmenter(effective_augment(config), 11, 0);
  for (int64_t step = 0; step < kSteps; ++step) {
    const int64_t epoch = step / 250;
    const EpochSampler plan(1000, true, 11, epoch);
    for (int64_t part = 0; part < 2; ++part) {
      int64_t sum = 0;
      for (const Sample& sample : plan.samples(step % 250 * 4 + part * 2, 2)) {
        int64_t image = boxes[sample.index];
        for (const size_t partner : augmenter.plan({epoch, sample.position}, 1000).partners)
          image += boxes[partner];
        most = std::max(most, image);
        sum += image;
      }
      in_batch = std::max(in_batch, sum);
    }
  }
  expect(crowding(config, shape, kSteps, boxes), most, in_batch);
  EXPECT_GE(most, 500);
  EXPECT_LT(most, 8 * 500 / 2);

  Crowding over_parts;
  for (int64_t part = 0; part < 4; ++part) {
    const Crowding found = crowding(config, shape, kSteps, boxes, part, 4);
    over_parts = {.image = std::max(over_parts.image, found.image),
                  .batch = std::max(over_parts.batch, found.batch)};
  }
  expect(over_parts, most, in_batch);
}

TEST(Crowding, TheOthersShareTheRestOfTheBatch) {
  EXPECT_THAT(most_expensive_counts({.image = 500, .batch = 700}, 4, 100, 0),
              ElementsAre(500, 67, 67, 66));
  EXPECT_THAT(most_expensive_counts({.image = 500, .batch = 500}, 1, 100, 0), ElementsAre(500));
  EXPECT_THAT(most_expensive_counts({.image = 0, .batch = 0}, 3, 100, 0), Each(0));
}

// groups = 100 / most boxes, rounded down, at least 1; 2 x most boxes x groups queries. Of 60
// boxes: 120; of 50: 200.
TEST(Crowding, TheMostQueriesMayComeFromFewerBoxes) {
  EXPECT_THAT(most_expensive_counts({.image = 60, .batch = 100}, 3, 100, 0),
              ElementsAre(50, 25, 25));
  EXPECT_THAT(most_expensive_counts({.image = 60, .batch = 170}, 3, 100, 0), Each(50));
  EXPECT_THAT(most_expensive_counts({.image = 110, .batch = 120}, 2, 100, 0), ElementsAre(110, 10));
  EXPECT_THAT(most_expensive_counts({.image = 60, .batch = 100}, 2, 0, 0),
              ElementsAre(60, 40));  // without denoising
  EXPECT_THAT(most_expensive_counts({.image = 500, .batch = 700}, 2, 100, 300),
              ElementsAre(500, 200));  // all above 150 alike
}

}  // namespace
}  // namespace dfine
