// The step is a function of the global batch, not of how it is split. R ranks x K micro-batches are
// compared with one rank x one batch, computed by the same process, with denoising. Run under
// mpirun with 2 and 4 ranks.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learner/step.h"
#include "loss/criterion.h"
#include "model/batch_norm.h"
#include "model/denoising.h"
#include "model/dfine.h"
#include "one_step.h"
#include "rank_main.h"

namespace dfine {
namespace {

void compare_ranks(const std::vector<int>& counts) {
  const GlobalBatch batch = make_batch(counts);
  expect_same(run_step(batch, test::group(), {}), run_step(batch, Communicator(), {}), 1e-9);
}

TEST(Split, DoubleWithinOneInABillion) {
  compare_ranks({3, 1, 5, 2});
}
TEST(Split, OneRankWithoutBoxes) {
  compare_ranks({3, 2, 0, 0});
}
TEST(Split, FewerBoxesThanRanks) {
  compare_ranks({0, 1, 0, 0});
}
TEST(Split, NoBoxesAtAll) {
  compare_ranks({0, 0, 0, 0});
}

// Images of 7 and 5 boxes have denoising queries for 4 of them each; which ones does not depend on
// the split.
TEST(Split, WithALimitOfDenoisingQueries) {
  const GlobalBatch batch = make_batch({7, 1, 5, 2});
  const Outcome whole = run_step(batch, Communicator(), {.spec = limited_spec()});
  const Outcome split = run_step(batch, test::group(), {.spec = limited_spec()});
  expect_same(split, whole, 1e-9);
  EXPECT_EQ(whole.without_denoising, 4);
  EXPECT_EQ(split.without_denoising, 4);
}

TEST(Accumulate, WithALimitOfDenoisingQueries) {
  const GlobalBatch batch = make_batch({7, 1, 5, 2});
  const Cut whole{.live_norms = false, .spec = limited_spec()};
  Cut cut = whole;
  cut.micro_batches = 4 / static_cast<size_t>(test::group().size());
  const Outcome split = run_step(batch, test::group(), cut);
  expect_same(split, run_step(batch, Communicator(), whole), 1e-9);
  EXPECT_EQ(split.without_denoising, 4);
}

/// Against one rank with one batch of all images. Batch norms use their running statistics: live
/// ones see other images together.
void compare_accumulated(const std::vector<int>& counts) {
  const GlobalBatch batch = make_batch(counts);
  const size_t micro_batches = counts.size() / static_cast<size_t>(test::group().size());
  const Outcome whole = run_step(batch, Communicator(), {.live_norms = false});
  expect_same(run_step(batch, test::group(), {.micro_batches = micro_batches, .live_norms = false}),
              whole, 1e-9);
  if (micro_batches < 4) return;
  expect_same(run_step(batch, test::group(), {.micro_batches = 2, .live_norms = false}), whole,
              1e-9);
}

TEST(Accumulate, UnequalBoxCounts) {
  compare_accumulated({3, 1, 5, 2});
}
TEST(Accumulate, MicroBatchesWithoutAnyBox) {
  compare_accumulated({0, 4, 0, 0});
}
TEST(Accumulate, NoBoxesAtAll) {
  compare_accumulated({0, 0, 0, 0});
}

// Live norms: every micro-batch has statistics of its own, over all ranks. One rank that is given
// the same micro-batches, each of them whole, must agree in everything, running statistics and
// counters included.
TEST(Accumulate, LiveNormsSeeAMicroBatchOverAllRanks) {
  const int64_t ranks = test::group().size();
  std::vector<int> counts{3, 1, 5, 2, 0, 4, 1, 0};
  const GlobalBatch batch = make_batch(counts);
  const size_t micro_batches = ranks == 4 ? 2 : 4;
  const Outcome whole = run_step(batch, Communicator(), {.micro_batches = micro_batches});
  expect_same(run_step(batch, test::group(), {.micro_batches = micro_batches}), whole, 1e-9);
}

// Running statistics as if each micro-batch had gone forward once, in order: the same forward
// passes without any step.
TEST(Accumulate, RunningStatisticsChangeOnceAMicroBatch) {
  const GlobalBatch batch = make_batch({3, 1, 5, 2});
  const Cut cut{.micro_batches = 4 / static_cast<size_t>(test::group().size())};
  const Outcome got = run_step(batch, test::group(), cut);
  const auto model = make_model(cut.dtype);
  model->set_group(test::group());
  for (const MicroBatch& part : split(batch, test::group(), cut)) model->forward(part.images());
  const auto wanted = model->named_buffers();
  for (const auto& [name, value] : got.buffers)
    EXPECT_TRUE(value.equal(wanted[name].to(at::kDouble))) << name;
}

double relative_l2(const std::vector<std::pair<std::string, Tensor>>& got,
                   const std::vector<std::pair<std::string, Tensor>>& exact) {
  double gap = 0, norm = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    gap += (got[i].second.to(at::kDouble) - exact[i].second).square().sum().item<double>();
    norm += exact[i].second.square().sum().item<double>();
  }
  return std::sqrt(gap / norm);
}

/// The mean of the losses of the parts [0, size), [size, 2 size), ... of the batch and of their
/// gradients. Each part is taken for itself: its own counts, its own denoising groups, the
/// criterion as for a step of one batch.
Outcome mean_of_parts(const GlobalBatch& batch, int64_t size) {
  const auto model = make_model(at::kDouble);
  const Criterion criterion({.num_classes = kClasses});
  const int64_t images = batch.images.size(0), parts = images / size;
  std::map<std::string, double> terms;
  std::vector<std::string> order;
  for (int64_t first = 0; first < images; first += size) {
    const Targets targets = batch.targets(first, size, at::kDouble);
    DenoisingQueries denoising;
    denoising.meta = denoising_meta(100, *std::ranges::max_element(targets.counts));
    if (denoising.meta.groups > 0) {
      const DenoisingNoise draws = draw_denoising(17, 4, first, size, denoising.meta, kClasses);
      denoising = make_denoising(targets, denoising.meta, draws, kClasses);
    }
    const ModelOutput output = model->forward(batch.images.narrow(0, first, size), &denoising);
    const Matchings matchings = criterion.match(output, targets);
    const Losses loss = criterion.loss(output, targets, matchings, matchings.norms);
    (loss.total() / parts).backward();
    if (loss.names.size() > order.size()) order = loss.names;
    for (const auto& [name, value] : loss.to_host())
      terms[name] += value / static_cast<double>(parts);
  }
  Outcome out;
  for (const std::string& name : order) out.terms.emplace_back(name, terms.at(name));
  for (auto& item : model->named_parameters()) {
    if (item.value().grad().defined()) out.grads.emplace_back(item.key(), item.value().grad());
  }
  for (auto& item : model->named_buffers())
    out.buffers.emplace_back(item.key(), item.value().to(at::kDouble));
  return out;
}

// With one and two ranks the third micro-batch has no boxes, and so no denoising.
TEST(Averaged, IsTheMeanOfTheMicroBatchesLosses) {
  const GlobalBatch batch = make_batch({3, 1, 5, 2, 0, 0, 1, 4});
  const size_t micro_batches = test::group().size() == 4 ? 2 : 4;
  const Cut cut{.micro_batches = micro_batches, .accumulation = GradientAccumulation::kAveraged};
  const Outcome averaged = run_step(batch, test::group(), cut);
  expect_same(averaged, mean_of_parts(batch, 8 / static_cast<int64_t>(micro_batches)), 1e-9);

  Cut exact = cut;
  exact.accumulation = GradientAccumulation::kExact;
  EXPECT_GT(relative_l2(averaged.grads, run_step(batch, test::group(), exact).grads), 1e-2);
}

TEST(Averaged, IsExactForOneMicroBatch) {
  const GlobalBatch batch = make_batch({3, 1, 5, 2});
  const Outcome averaged =
      run_step(batch, test::group(), {.accumulation = GradientAccumulation::kAveraged});
  const Outcome exact = run_step(batch, test::group(), {});
  expect_same(averaged, exact, 0);
}

// In single precision the split step is as close to the exact gradient as the whole one is: what
// separates them is rounding. The factor leaves room for the luck of the draw; ReLU and sampling
// have kinks where a last bit decides.
TEST(Split, SinglePrecisionWithinRounding) {
  const GlobalBatch batch = make_batch({3, 1, 5, 2});
  const Outcome exact = run_step(batch, Communicator(), {});
  const double rounding =
      relative_l2(run_step(batch, Communicator(), {.dtype = at::kFloat}).grads, exact.grads);
  const double split =
      relative_l2(run_step(batch, test::group(), {.dtype = at::kFloat}).grads, exact.grads);
  RecordProperty("rounding", std::to_string(rounding));
  RecordProperty("split", std::to_string(split));
  EXPECT_LT(rounding, 5e-2);
  EXPECT_LE(split, 4 * rounding);
}

}  // namespace
}  // namespace dfine
