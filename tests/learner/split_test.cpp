// The step is a function of the global batch, not of how it is split. R ranks x K micro-batches are
// compared with one rank x one batch, computed by the same process, with denoising. Run under
// mpirun with 2 and 4 ranks.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "input/sample_order.h"
#include "learner/step.h"
#include "loss/criterion.h"
#include "model/batch_norm.h"
#include "model/denoising.h"
#include "model/dfine.h"
#include "rank_main.h"

namespace dfine {
namespace {

constexpr int64_t kClasses = 5, kSide = 96;

/// N with as many queries as there are tokens at 96x96, 36 + 9, so that no last bit decides which
/// are selected.
ModelSpec small_spec() {
  ModelSpec spec = model_spec(ModelSize::kN, kClasses);
  spec.num_queries = 45;
  return spec;
}

/// One group of at most 4 positive and 4 negative denoising queries.
ModelSpec limited_spec() {
  ModelSpec spec = small_spec();
  spec.num_denoising = 4;
  spec.max_denoising_queries = 8;
  return spec;
}

struct GlobalBatch {
  Tensor images;  // double [B, 3, H, W]
  std::vector<std::vector<std::pair<int64_t, std::array<double, 4>>>> boxes;

  Targets targets(int64_t first, int64_t count, at::ScalarType dtype) const {
    Targets out;
    std::vector<int64_t> labels;
    std::vector<double> flat;
    for (int64_t i = first; i < first + count; ++i) {
      const auto& image = boxes[static_cast<size_t>(i)];
      out.counts.push_back(static_cast<int64_t>(image.size()));
      for (const auto& [label, box] : image) {
        labels.push_back(label);
        flat.insert(flat.end(), box.begin(), box.end());
      }
    }
    out.labels = at::tensor(labels, at::kLong);
    out.boxes = at::tensor(flat, at::kDouble).reshape({-1, 4}).to(dtype);
    return out;
  }
};

/// Smooth random blobs with some noise (pure noise drives the network's rounding errors up);
/// `counts` boxes in each.
GlobalBatch make_batch(const std::vector<int>& counts) {
  GlobalBatch batch;
  CounterRandom random(5, Stream::kTest, 0);
  batch.images = at::empty({static_cast<int64_t>(counts.size()), 3, kSide, kSide}, at::kDouble);
  auto* pixel = batch.images.data_ptr<double>();
  for (int64_t i = 0; i < batch.images.numel(); ++i) pixel[i] = random.uniform_double();
  const Tensor blobs = at::upsample_bilinear2d(batch.images.slice(2, 0, 3).slice(3, 0, 3),
                                               {kSide, kSide}, /*align_corners=*/false);
  batch.images = 0.7 * blobs + 0.3 * batch.images;
  for (const int count : counts) {
    auto& image = batch.boxes.emplace_back();
    for (int k = 0; k < count; ++k) {
      const double w = 0.1 + 0.4 * random.uniform_double(), h = 0.1 + 0.4 * random.uniform_double();
      const double x = w / 2 + (1 - w) * random.uniform_double(),
                   y = h / 2 + (1 - h) * random.uniform_double();
      image.push_back({static_cast<int64_t>(random.below(kClasses)), {x, y, w, h}});
    }
  }
  return batch;
}

/// Weights on which every term matters: the layers that start at zero (boxes, gates, offsets) are
/// randomised.
std::shared_ptr<DFine> make_model(at::ScalarType dtype, const ModelSpec& spec = small_spec()) {
  const at::NoGradGuard no_grad;
  auto model = std::make_shared<DFine>(spec, 3);
  CounterRandom random(6, Stream::kTest, 0);
  for (auto& item : model->named_parameters()) {
    Tensor& p = item.value();
    if (!p.requires_grad() || p.dim() == 0 || p.abs().max().item<double>() != 0) continue;
    std::vector<float> values(static_cast<size_t>(p.numel()));
    for (auto& v : values) v = 0.2F * (random.uniform() - 0.5F);
    p.copy_(at::tensor(values).reshape(p.sizes()));
  }
  model->to(dtype);
  model->train();
  return model;
}

/// Gives all norms the statistics that they have on `images`, for good. A live norm moves its
/// running ones a tenth of the way from mean 0 and variance 1 to the batch's.
void freeze_statistics(DFine& model, const Tensor& images) {
  const at::NoGradGuard no_grad;
  model.forward(images);
  for (auto& item : model.named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().div_(0.1);
    if (item.key().ends_with("running_var")) item.value().sub_(0.9).div_(0.1);
  }
  for (const auto& module : model.modules()) {
    if (dynamic_cast<BatchNorm2d*>(module.get()) != nullptr) module->eval();
  }
}

struct Outcome {
  int64_t without_denoising = 0;
  std::vector<std::pair<std::string, double>> terms;
  std::vector<std::pair<std::string, Tensor>> grads;
  std::vector<std::pair<std::string, Tensor>> buffers;
};

struct Cut {
  size_t micro_batches = 1;
  at::ScalarType dtype = at::kDouble;
  bool live_norms = true;  // else all batch norms use their running statistics
  ModelSpec spec = small_spec();
  GradientAccumulation accumulation = GradientAccumulation::kExact;
};

std::vector<Tensor> trained_parameters(const DFine& model) {
  std::vector<Tensor> trained;
  for (auto& p : model.parameters()) {
    if (p.requires_grad()) trained.push_back(p);
  }
  return trained;
}

/// This rank's micro-batches.
std::vector<MicroBatch> split(const GlobalBatch& batch, const Communicator& group, const Cut& cut) {
  const int64_t count =
      batch.images.size(0) / group.size() / static_cast<int64_t>(cut.micro_batches);
  std::vector<MicroBatch> parts;
  for (size_t k = 0; k < cut.micro_batches; ++k) {
    const int64_t first =
        micro_batch_index(static_cast<int64_t>(k), group.rank(), group.size()) * count;
    const Tensor images = batch.images.narrow(0, first, count).to(cut.dtype);
    parts.push_back(
        {.images = [images] { return images; }, .targets = batch.targets(first, count, cut.dtype)});
  }
  return parts;
}

Outcome run_step(const GlobalBatch& batch, const Communicator& group, const Cut& cut) {
  auto model = make_model(cut.dtype, cut.spec);
  if (!cut.live_norms) freeze_statistics(*model, batch.images.to(cut.dtype));
  model->set_group(group);
  TrainingStep step(*model, trained_parameters(*model), Criterion({.num_classes = kClasses}), group,
                    {.autocast = {}, .accumulation = cut.accumulation});
  const auto [loss, without_denoising] =
      step.run(split(batch, group, cut), {.seed = 17, .step = 4});
  Outcome out{.without_denoising = without_denoising, .terms = {}, .grads = {}, .buffers = {}};
  Tensor terms = loss.values.clone();
  group.all_reduce_sum(terms);
  terms /= group.size();
  for (size_t i = 0; i < loss.names.size(); ++i)
    out.terms.emplace_back(loss.names[i], terms[static_cast<int64_t>(i)].item<double>());
  for (auto& item : model->named_parameters()) {
    if (item.value().grad().defined())
      out.grads.emplace_back(item.key(), item.value().grad().clone());
  }
  for (auto& item : model->named_buffers())
    out.buffers.emplace_back(item.key(), item.value().to(at::kDouble));
  return out;
}

/// Relative L2 difference over all tensors, and each tensor's own against a floor: tensors whose
/// gradient vanishes have no relative error.
void expect_same(const std::vector<std::pair<std::string, Tensor>>& split,
                 const std::vector<std::pair<std::string, Tensor>>& whole, double bound,
                 const char* what) {
  ASSERT_EQ(split.size(), whole.size()) << what;
  double scale = 0;
  for (const auto& [name, t] : whole) scale = std::max(scale, t.norm().item<double>());
  for (size_t i = 0; i < whole.size(); ++i) {
    ASSERT_EQ(split[i].first, whole[i].first);
    const double norm = whole[i].second.norm().item<double>(),
                 gap = (split[i].second - whole[i].second).norm().item<double>();
    EXPECT_LE(gap, bound * std::max(norm, 1e-6 * scale))
        << what << " " << whole[i].first << ": norm " << norm;
  }
}

void expect_same(const Outcome& split, const Outcome& whole, double bound) {
  ASSERT_EQ(split.terms.size(), whole.terms.size());
  for (size_t i = 0; i < whole.terms.size(); ++i) {
    EXPECT_EQ(split.terms[i].first, whole.terms[i].first);
    EXPECT_NEAR(split.terms[i].second, whole.terms[i].second,
                bound * std::max(1e-3, std::abs(whole.terms[i].second)))
        << whole.terms[i].first;
  }
  expect_same(split.grads, whole.grads, bound, "gradient of");
  expect_same(split.buffers, whole.buffers, bound, "buffer");
  EXPECT_GT(whole.grads.size(), 100U);
}

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
