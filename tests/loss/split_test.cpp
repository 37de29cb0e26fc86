// The loss is a function of the global batch: ranks that hold a share each get what one rank gets
// from the whole.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "loss/criterion.h"
#include "rank_main.h"
#include "synthetic.h"

namespace dfine {
namespace {

using test::group;

const CriterionOptions kOptions{.num_classes = kClasses, .reg_max = kRegMax};

struct Share {
  Targets targets;
  ModelOutput output;
};

Share share(const SyntheticBatch& batch, int64_t first, int64_t count) {
  Share result;
  int64_t before = 0;
  for (int64_t i = 0; i < first + count; ++i) {
    const int64_t boxes = batch.targets.counts[static_cast<size_t>(i)];
    if (i < first) {
      before += boxes;
    } else {
      result.targets.counts.push_back(boxes);
    }
  }
  int64_t boxes = 0;
  for (const int64_t n : result.targets.counts) boxes += n;
  result.targets.labels = batch.targets.labels.narrow(0, before, boxes);
  result.targets.boxes = batch.targets.boxes.narrow(0, before, boxes);
  ModelOutput& out = result.output = batch.output;
  out.decoder.ref_points = out.decoder.ref_points.narrow(0, first, count);
  for (Tensor* leaf : leaves(out)) {
    const int64_t images = leaf->dim() - 3;  // [H, B, ...] or [B, ...]
    *leaf = leaf->detach().narrow(images, first, count).clone().requires_grad_();
  }
  return result;
}

/// The gradient of a mean over ranks reaches a rank's outputs divided by the number of ranks.
void expect_share(const ModelOutput& mine, const ModelOutput& whole, int64_t first) {
  const auto parts = head_gradients(mine);
  for (const auto& [name, gradient] : head_gradients(whole)) {
    const Tensor& part = parts.at(name);
    const Tensor wanted = gradient.narrow(0, first, part.size(0));
    const double scale = std::max(gradient.abs().max().item<double>(), 1e-300);
    EXPECT_LT((part / group().size() - wanted).abs().max().item<double>(), 1e-12 * scale) << name;
  }
}

void expect_mean_over_ranks(const Tensor& terms, const Tensor& whole) {
  Tensor mean = terms.detach() / group().size();
  group().all_reduce_sum(mean);
  EXPECT_LT(((mean - whole) / whole.abs().clamp_min(1e-300)).abs().max().item<double>(), 1e-12);
}

LossNorms over_ranks(const std::vector<Matchings>& matchings) {
  std::vector<double> sums(3);
  for (const Matchings& part : matchings) {
    sums[0] += part.norms.images;
    sums[1] += part.norms.boxes;
    sums[2] += part.norms.pairs;
  }
  sums = group().sum(std::move(sums));
  return {.images = sums[0],
          .boxes = sums[1],
          .pairs = sums[2],
          .ranks = static_cast<double>(group().size())};
}

class Split : public testing::TestWithParam<std::vector<int64_t>> {};

TEST_P(Split, TermsAndGradientsAreThoseOfTheWholeBatch) {
  const SyntheticBatch batch =
      make_batch({.counts = GetParam(), .num_denoising = 100}, at::kDouble);
  const Criterion criterion(kOptions);
  const Losses whole = compute_loss(criterion, batch.output, batch.targets);
  whole.total().backward();

  const int64_t count = batch.targets.num_images() / group().size(), first = count * group().rank();
  const Share part = share(batch, first, count);
  const Matchings matchings = criterion.match(part.output, part.targets);
  const Losses mine = criterion.loss(part.output, part.targets, matchings, over_ranks({matchings}));
  mine.total().backward();

  ASSERT_EQ(mine.names, whole.names);
  expect_mean_over_ranks(mine.values, whole.values);
  expect_share(part.output, batch.output, first);
}

// Every image by itself: 4 / ranks micro-batches per rank.
TEST_P(Split, MicroBatchesSumUpToTheWholeBatch) {
  const SyntheticBatch batch =
      make_batch({.counts = GetParam(), .num_denoising = 100}, at::kDouble);
  const Criterion criterion(kOptions);
  const Losses whole = compute_loss(criterion, batch.output, batch.targets);
  whole.total().backward();

  const int64_t count = batch.targets.num_images() / group().size(), first = count * group().rank();
  std::vector<Share> parts;
  std::vector<Matchings> matchings;
  for (int64_t k = 0; k < count; ++k) {
    parts.push_back(share(batch, first + k, 1));
    matchings.push_back(criterion.match(parts.back().output, parts.back().targets));
  }
  const LossNorms norms = over_ranks(matchings);
  Tensor terms = at::zeros_like(whole.values.detach());
  for (size_t k = 0; k < parts.size(); ++k) {
    const Losses loss = criterion.loss(parts[k].output, parts[k].targets, matchings[k], norms);
    loss.total().backward();
    terms += loss.values.detach();
    expect_share(parts[k].output, batch.output, first + static_cast<int64_t>(k));
  }
  expect_mean_over_ranks(terms, whole.values);
}

INSTANTIATE_TEST_SUITE_P(Counts, Split,
                         testing::Values(std::vector<int64_t>{7, 0, 60, 1},
                                         std::vector<int64_t>{0, 0, 3, 1},
                                         std::vector<int64_t>{1, 0, 0, 0},
                                         std::vector<int64_t>{0, 0, 0, 0}));

}  // namespace
}  // namespace dfine
