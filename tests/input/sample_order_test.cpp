#include "input/sample_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "sample_indices.h"

namespace dfine {
namespace {

using test::indices;

constexpr int64_t kImages = 1003, kGlobal = 24, kMicroBatches = 3,
                  kStepsPerEpoch = kImages / kGlobal;

TrainingOrderOptions options(int ranks) {
  return {.num_images = kImages,
          .seed = 7,
          .batch_size = kGlobal / kMicroBatches / ranks,
          .micro_batches = kMicroBatches,
          .ranks = ranks};
}

// 3 micro-batches per step. What the ranks forward together, and what a step holds, is the same for
// 1, 2 and 4 ranks. It follows each epoch's own order.
TEST(TrainingOrder, StepsDoNotDependOnTheRanksAndCrossEpochs) {
  constexpr int64_t kFirst = 2 * kStepsPerEpoch - 2;  // four steps: two of each epoch
  for (const int ranks : {1, 2, 4}) {
    std::vector<SampleOrder> orders;
    for (int rank = 0; rank < ranks; ++rank)
      orders.push_back(
          training_order(options(ranks), rank, 4, {1, (kStepsPerEpoch - 2) * kGlobal}));
    EXPECT_EQ(orders[0].num_batches, 4 * kMicroBatches);
    for (int64_t b = 0; b < 4 * kMicroBatches; ++b) {
      std::vector<size_t> joined;
      for (const SampleOrder& order : orders) {
        const auto part = indices(order.batch(b));
        joined.insert(joined.end(), part.begin(), part.end());
      }
      const int64_t step = kFirst + b / kMicroBatches, epoch = step / kStepsPerEpoch;
      const auto whole =
          EpochSampler(kImages, true, 7, epoch).samples(step % kStepsPerEpoch * kGlobal, kGlobal);
      const auto first = whole.begin() + b % kMicroBatches * (kGlobal / kMicroBatches);
      EXPECT_EQ(joined, indices({first, first + kGlobal / kMicroBatches}))
          << ranks << " ranks, micro-batch " << b;
      EXPECT_EQ(orders[0].batch(b).front().epoch, epoch);
    }
  }
}

// Asked from many threads, for samples of epochs that lie behind and ahead.
TEST(TrainingOrder, AReplacementFollowsTheSamplesOwnEpoch) {
  const SampleOrder order = training_order(options(1), 0, 4 * kStepsPerEpoch);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t epoch = 0; epoch < 4; ++epoch) {
        const int64_t e = (epoch + t) % 4;
        const EpochSampler sampler(kImages, true, 7, e);
        for (const int64_t place : {int64_t{0}, int64_t{500}, kImages - 1})
          for (const int64_t k : {1, 2, 700})
            EXPECT_EQ(order.replacement({.index = 0, .position = place, .epoch = e}, k),
                      sampler.image_at(place + k));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A run that goes on with another global batch: what it had left of the epoch comes once each, less
// what fills no batch. After that epochs are whole again.
TEST(TrainingOrder, AnotherGlobalBatchGoesOnAtTheSameSample) {
  for (const int64_t batch : {1, 5, 24, 30}) {
    const TrainingOrderOptions changed{
        .num_images = kImages, .seed = 7, .batch_size = batch, .ranks = 1};
    const DataPosition from{1, 17 * kGlobal};
    const int64_t left = (kImages - 17 * kGlobal) / batch, steps = left + kImages / batch;
    const SampleOrder order = training_order(changed, 0, steps, from);
    std::vector<std::vector<size_t>> seen(2);
    DataPosition position = from;
    for (int64_t step = 0; step < steps; ++step, position = changed.after(position)) {
      const auto samples = order.batch(step);
      EXPECT_EQ(samples.front().position, position.samples);
      EXPECT_EQ(samples.front().epoch, position.epoch);
      for (const Sample& sample : samples)
        seen.at(static_cast<size_t>(sample.epoch - 1)).push_back(sample.index);
    }
    EXPECT_EQ(position, (DataPosition{3, 0}));
    EXPECT_EQ(changed.after(from, steps), position);
    EXPECT_EQ(seen[0],
              indices(EpochSampler(kImages, true, 7, 1).samples(17 * kGlobal, left * batch)));
    EXPECT_EQ(seen[1],
              indices(EpochSampler(kImages, true, 7, 2).samples(0, kImages / batch * batch)));
  }
}

TEST(EvaluationOrder, EveryImageOnceOverAllRanks) {
  for (int ranks : {1, 2, 3, 4, 7}) {
    for (int64_t size : {0, 1, 5, 58, 100}) {
      std::vector<size_t> seen;
      for (int rank = 0; rank < ranks; ++rank) {
        const SampleOrder order = evaluation_order(size, rank, ranks, 8);
        for (int64_t b = 0; b < order.num_batches; ++b) {
          const auto batch = order.batch(b);
          EXPECT_LE(batch.size(), 8U);
          EXPECT_FALSE(batch.empty());
          for (const auto& s : batch) seen.push_back(s.index);
        }
      }
      std::vector<size_t> all(static_cast<size_t>(size));
      for (size_t i = 0; i < all.size(); ++i) all[i] = i;
      EXPECT_EQ(seen, all) << ranks << " ranks, " << size << " images";
    }
  }
}

}  // namespace
}  // namespace dfine
