#include "input/loader.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <string>

#include "config/config.h"
#include "core/error.h"
#include "data/box_policy.h"
#include "data/shards/dataset.h"
#include "shipped_pack.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

constexpr int64_t kGlobalBatch = 8, kEpoch = 3;
constexpr uint64_t kSeed = 21;

LoaderOptions small_options(int workers) {
  return {.sample = {.size = {64, 96}, .augment = AugmentConfig(), .seed = kSeed},
          .workers = workers,
          .read_ahead = workers};
}

EpochSampler plan_of(const PackedDataset& data) {
  return {static_cast<int64_t>(data.size()), true, kSeed, kEpoch};
}

/// Of one epoch.
SampleOrder order_of(const PackedDataset& data, int rank = 0, int ranks = 1,
                     int64_t first_batch = 0) {
  const auto size = static_cast<int64_t>(data.size());
  const int64_t steps = size / kGlobalBatch;
  return training_order(
      {.num_images = size, .seed = kSeed, .batch_size = kGlobalBatch / ranks, .ranks = ranks}, rank,
      steps - first_batch, {kEpoch, first_batch * kGlobalBatch});
}

/// What one rank gets, batch by batch.
std::vector<Batch> load(const PackedDataset& data, const LoaderOptions& options, int rank,
                        int ranks, int64_t first_batch = 0) {
  Loader loader(data, options, order_of(data, rank, ranks, first_batch));
  std::vector<Batch> batches;
  while (loader.has_next()) batches.push_back(loader.next());
  return batches;
}

/// The global batches, put together from the ranks' parts.
std::vector<Batch> load_all(const PackedDataset& data, const LoaderOptions& options, int ranks,
                            int64_t first_batch = 0) {
  std::vector<Batch> whole = load(data, options, 0, ranks, first_batch);
  for (int rank = 1; rank < ranks; ++rank) {
    const auto part = load(data, options, rank, ranks, first_batch);
    EXPECT_EQ(part.size(), whole.size());
    for (size_t b = 0; b < part.size(); ++b) {
      whole[b].images = at::cat({whole[b].images, part[b].images});
      whole[b].targets.labels = at::cat({whole[b].targets.labels, part[b].targets.labels});
      whole[b].targets.boxes = at::cat({whole[b].targets.boxes, part[b].targets.boxes});
      whole[b].targets.counts.insert(whole[b].targets.counts.end(), part[b].targets.counts.begin(),
                                     part[b].targets.counts.end());
      whole[b].samples.insert(whole[b].samples.end(), part[b].samples.begin(),
                              part[b].samples.end());
    }
  }
  return whole;
}

void expect_same(const Batch& got, const Batch& expected) {
  EXPECT_EQ(got.samples, expected.samples);
  EXPECT_TRUE(at::equal(got.images, expected.images));
  EXPECT_EQ(got.targets.counts, expected.targets.counts);
  EXPECT_TRUE(at::equal(got.targets.labels, expected.targets.labels));
  EXPECT_TRUE(at::equal(got.targets.boxes, expected.targets.boxes));
}

void expect_same(const std::vector<Batch>& got, std::span<const Batch> expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t b = 0; b < got.size(); ++b) expect_same(got[b], expected[b]);
}

/// Damages one byte in the middle of an image file, in place.
void damage(const std::filesystem::path& pack, const PackedDataset& data, size_t index) {
  const auto path = pack / data.image(index).shard;
  const auto content = file_content(path);
  const auto image = data.read_bytes(index);
  const auto at = std::search(content.begin(), content.end(), image.begin(), image.end());
  ASSERT_NE(at, content.end());
  const auto place = at - content.begin() + static_cast<std::ptrdiff_t>(image.size() / 2);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(place)
      .put(static_cast<char>(content[static_cast<size_t>(place)] ^ 0x10));
}

class LoaderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { pack_ = new ShippedPack; }
  static void TearDownTestSuite() { delete pack_; }
  static inline ShippedPack* pack_ = nullptr;
  const PackedDataset data_ = PackedDataset::open(pack_->path());
};

TEST_F(LoaderTest, NeitherRanksNorWorkersChangeSamplesOrPixels) {
  const auto expected = load_all(data_, small_options(0), 1);
  ASSERT_EQ(expected.size(), data_.size() / kGlobalBatch);
  for (const auto& [ranks, workers] : {std::pair(2, 0), {4, 0}, {1, 1}, {1, 8}, {2, 8}, {4, 3}}) {
    SCOPED_TRACE(testing::Message() << ranks << " ranks, " << workers << " workers");
    expect_same(load_all(data_, small_options(workers), ranks), expected);
  }
}

TEST_F(LoaderTest, ARestartInTheMiddleOfAnEpochGoesOn) {
  const auto whole = load_all(data_, small_options(2), 1);
  for (const int64_t first : {1, 5, 9}) {
    expect_same(load_all(data_, small_options(2), 2, first),
                std::span(whole).subspan(static_cast<size_t>(first)));
  }
}

// Two epochs of one loader, which loads ahead from one into the next, against a loader for each.
TEST_F(LoaderTest, EpochsFollowEachOther) {
  const auto size = static_cast<int64_t>(data_.size());
  const int64_t steps = size / kGlobalBatch;
  const auto from = [&](int64_t first, int64_t end) {
    Loader loader(data_, small_options(3),
                  training_order({.num_images = size, .seed = kSeed, .batch_size = kGlobalBatch}, 0,
                                 end - first, {first / steps, first % steps * kGlobalBatch}));
    std::vector<Batch> batches;
    while (loader.has_next()) {
      batches.push_back(loader.next());
      batches.back().images = batches.back().images.clone();  // the loader uses its memory again
    }
    return batches;
  };
  const auto both = from(0, 2 * steps);
  ASSERT_EQ(both.size(), static_cast<size_t>(2 * steps));
  expect_same(from(0, steps), std::span(both).first(static_cast<size_t>(steps)));
  expect_same(from(steps, 2 * steps), std::span(both).last(static_cast<size_t>(steps)));
}

TEST_F(LoaderTest, AFlipMirrorsPixelsAndBoxes) {
  Config config;
  config.data.augment = Augment::kFlip;
  LoaderOptions never = small_options(0), always = never;
  never.sample.augment = always.sample.augment = effective_augment(config);
  never.sample.augment->flip = 0;
  always.sample.augment->flip = 1;
  const Batch plain = load(data_, never, 0, 1)[0], flipped = load(data_, always, 0, 1)[0];
  EXPECT_TRUE(at::equal(flipped.images, plain.images.flip({3})));
  EXPECT_TRUE(at::allclose(flipped.targets.boxes.select(1, 0), 1 - plain.targets.boxes.select(1, 0),
                           0, 1e-6));
  EXPECT_TRUE(at::equal(flipped.targets.boxes.slice(1, 1), plain.targets.boxes.slice(1, 1)));
}

TEST_F(LoaderTest, EvaluationSeesEveryImageOnceInOrder) {
  LoaderOptions options = small_options(2);
  options.sample.augment.reset();
  Loader loader(data_, options, evaluation_order(static_cast<int64_t>(data_.size()), 0, 1, 10));
  size_t next = 0;
  while (loader.has_next()) {
    const Batch batch = loader.next();
    int64_t first = 0;
    for (size_t i = 0; i < batch.samples.size(); ++i) {
      EXPECT_EQ(batch.samples[i], next);
      const PackedImage image = data_.image(next);
      const auto expected = data_.training_boxes(next++);
      ASSERT_EQ(batch.targets.counts[i], static_cast<int64_t>(expected.size()));
      for (const LabelledBox& box : expected) {
        EXPECT_EQ(batch.targets.labels[first].item<int64_t>(), box.label);
        const auto cxcywh = normalised(box.xyxy, image.width, image.height);
        for (int64_t k = 0; k < 4; ++k)
          EXPECT_EQ(batch.targets.boxes[first][k].item<float>(), cxcywh[static_cast<size_t>(k)]);
        ++first;
      }
    }
    EXPECT_EQ(batch.targets.boxes.size(0), first);
  }
  EXPECT_EQ(next, data_.size());
}

class DamagedPackTest : public LoaderTest {
 protected:
  // Places 5 and 6 of the order, which follow each other, and 50.
  DamagedPackTest() {
    for (const int64_t place : {5, 6, 50}) {
      corrupt_.push_back(plan_of(data_).image_at(place));
      damage(own_.path(), data_, corrupt_.back());
    }
  }
  static LoaderOptions skipping(int workers, int64_t max_corrupt) {
    LoaderOptions options = small_options(workers);
    options.skip_corrupt = true;
    options.max_corrupt = max_corrupt;
    return options;
  }
  Caught failure(const LoaderOptions& options) {
    return catch_error([&] { load(damaged_, options, 0, 1); });
  }
  ShippedPack own_;
  std::vector<size_t> corrupt_;
  const PackedDataset damaged_ = PackedDataset::open(own_.path());
};

TEST_F(DamagedPackTest, TheNextImageTakesThePlace) {
  const auto sound = load_all(data_, small_options(0), 1);
  // With the place's own draws: those of a sample keyed by (epoch, place).
  const auto substitute = [&](int64_t place, int64_t from) {
    Tensor planes = at::empty({3, 64, 96}, at::kByte);
    SampleScratch memory;
    std::vector<LabelledBox> boxes;
    DetectionDataset(data_, small_options(0).sample)
        .get({.index = plan_of(data_).image_at(from), .position = place, .epoch = kEpoch},
             order_of(data_), memory, planes.data_ptr<uint8_t>(), boxes,
             [](size_t, const Error&) { FAIL(); });
    return std::pair(planes, static_cast<int64_t>(boxes.size()));
  };
  for (const auto& [ranks, workers] : {std::pair(1, 0), {2, 0}, {1, 4}, {2, 4}}) {
    SCOPED_TRACE(testing::Message() << ranks << " ranks, " << workers << " workers");
    const auto got = load_all(damaged_, skipping(workers, 3), ranks);
    ASSERT_EQ(got.size(), sound.size());
    for (int64_t place = 0; place < static_cast<int64_t>(got.size()) * kGlobalBatch; ++place) {
      const auto b = static_cast<size_t>(place / kGlobalBatch);
      const int64_t i = place % kGlobalBatch;
      const int64_t from = place == 5 || place == 6 ? 7 : place == 50 ? 51 : place;
      const auto [pixels, boxes] = substitute(place, from);
      EXPECT_EQ(got[b].samples[static_cast<size_t>(i)], plan_of(data_).image_at(from)) << place;
      EXPECT_TRUE(at::equal(got[b].images[i], pixels)) << place;
      EXPECT_EQ(got[b].targets.counts[static_cast<size_t>(i)], boxes) << place;
    }
  }
}

// Mosaic and mixup want up to seven more images for a sample: the damaged ones among them are
// replaced too.
TEST_F(DamagedPackTest, PartnersOfASampleAreReplacedAlike) {
  const auto options = [](int workers, int64_t max_corrupt) {
    LoaderOptions all = skipping(workers, max_corrupt);
    all.sample.augment->mosaic = 0.2;
    all.sample.augment->mixup = 0.3;
    return all;
  };
  const auto expected = load_all(damaged_, options(0, 3), 1);
  ASSERT_EQ(expected.size(), data_.size() / kGlobalBatch);
  // Those that batch `first` (and, with `all`, the later ones) met.
  const auto corrupt_from = [&](size_t first, bool all) {
    Loader loader(damaged_, options(0, 3), order_of(data_, 0, 1, static_cast<int64_t>(first)));
    do {
      loader.next();
    } while (all && loader.has_next());
    return loader.corrupt();
  };
  EXPECT_EQ(corrupt_from(0, /*all=*/true), std::set<size_t>(corrupt_.begin(), corrupt_.end()));
  for (const auto& [ranks, workers] : {std::pair(2, 0), {1, 4}, {2, 4}}) {
    SCOPED_TRACE(testing::Message() << ranks << " ranks, " << workers << " workers");
    expect_same(load_all(damaged_, options(workers, 3), ranks), expected);
  }
  // A sample that needs none of them is as it is in the sound pack.
  const auto sound = load_all(data_, options(0, 0), 1);
  size_t untouched = 0;
  for (size_t b = 0; b < sound.size(); ++b) {
    if (!corrupt_from(b, /*all=*/false).empty()) continue;
    expect_same(expected[b], sound[b]);
    ++untouched;
  }
  std::cout << untouched << " of " << sound.size() << " batches need no damaged image\n";
  EXPECT_TRUE(failure(options(2, 2)).is(kTooManySkipped, "data.max_corrupt = 2"));
}

// Of images 0 and 1 alone, the first or both damaged: mosaic meets the first many times, which
// counts once.
TEST_F(DamagedPackTest, TheSameRecordCountsOnceAndNothingSoundIsAnError) {
  LoaderOptions options = skipping(1, 1);
  options.sample.augment->mosaic = options.sample.augment->mixup = 1;
  const auto load_two = [&] {
    Loader loader(damaged_, options,
                  training_order({.num_images = 2, .shuffle = false, .batch_size = 2}, 0, 1));
    return loader.next().samples;
  };
  damage(own_.path(), data_, 0);
  EXPECT_EQ(load_two(), (std::vector<size_t>{1, 1}));
  damage(own_.path(), data_, 1);
  options.max_corrupt = 1000;
  EXPECT_THROW(load_two(), Error);
}

TEST_F(DamagedPackTest, AnErrorNamesTheRecord) {
  for (const int workers : {0, 4}) {
    EXPECT_TRUE(failure(small_options(workers))
                    .is(kFileDamaged, std::string(data_.image(corrupt_[0]).file_name),
                        std::string(data_.image(corrupt_[0]).shard)));
  }
}

TEST_F(DamagedPackTest, TooManyEndTheRun) {
  for (const int workers : {0, 4}) {
    EXPECT_FALSE(failure(skipping(workers, 3)).code);
    EXPECT_TRUE(failure(skipping(workers, 2))
                    .is(kTooManySkipped, "data.max_corrupt = 2",
                        std::string(data_.image(corrupt_[2]).file_name)));
    EXPECT_TRUE(failure(skipping(workers, 0)).is(kTooManySkipped, "data.max_corrupt = 0"));
  }
  Loader loader(data_, skipping(0, 2), order_of(data_));
  loader.count_corrupt({3, 4, 3});  // of other ranks: each counts once
  EXPECT_EQ(loader.corrupt(), (std::set<size_t>{3, 4}));
  EXPECT_THROW(loader.count_corrupt({5}), Error);
}

}  // namespace
}  // namespace dfine
