// What a step reports, and steps that are skipped: nothing may be left of them on any rank. Run
// under mpirun with 1 and 2 ranks.
#include "learner/learner.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "learner/build_model.h"
#include "rank_main.h"
#include "weights/weights.h"

namespace dfine {
namespace {

using test::group;

constexpr int64_t kClasses = 5, kSide = 96;
constexpr ImageSize kSize{kSide, kSide};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

ModelSpec small_spec() {
  ModelSpec spec = model_spec(ModelSize::kN, kClasses);
  spec.num_queries = 45;  // every token
  return spec;
}

Learner make_learner(std::optional<at::ScalarType> autocast = {}, uint64_t seed = 3) {
  LearnerOptions options;
  options.optimizer.lr = 1e-3;
  options.ema = {.decay = 0.9, .warmup_steps = 0};
  options.step.autocast = autocast;
  return {std::make_shared<DFine>(small_spec(), seed), options, group()};
}

/// One whose device decides what is skipped, as on a GPU.
Learner make_late_learner(std::optional<at::ScalarType> autocast = {}) {
  LearnerOptions options;
  options.optimizer.lr = 1e-3;
  options.ema = {.decay = 0.9, .warmup_steps = 4};
  options.step.autocast = autocast;
  options.late_report = true;
  return {std::make_shared<DFine>(small_spec(), 3), options, group()};
}

/// Two images of a rank, of noise, with `boxes` boxes in the first.
Batch make_batch(int64_t step, int64_t boxes = 3, int rank = group().rank()) {
  CounterRandom random(5, Stream::kTest, static_cast<uint64_t>(step), static_cast<uint32_t>(rank));
  Batch batch;
  batch.images = at::empty({2, 3, kSide, kSide}, at::kByte);
  auto* pixel = batch.images.data_ptr<uint8_t>();
  for (int64_t i = 0; i < batch.images.numel(); ++i)
    pixel[i] = static_cast<uint8_t>(random.below(256));
  batch.targets.counts = {boxes, 0};
  batch.targets.labels = at::arange(boxes, at::kLong).remainder(kClasses);
  batch.targets.boxes = at::stack({at::linspace(0.3, 0.7, boxes), at::linspace(0.4, 0.6, boxes),
                                   at::full({boxes}, 0.2), at::full({boxes}, 0.3)},
                                  1);
  return batch;
}

/// A box of the last rank's is not a number, and so is its loss.
Batch make_bad_batch(int64_t step) {
  Batch batch = make_batch(step);
  if (group().rank() == group().size() - 1)
    batch.targets.boxes[1][2] = std::numeric_limits<float>::quiet_NaN();
  return batch;
}

/// Everything that a step may change, and how often parameters and average have been updated.
std::map<std::string, Tensor> state_of(Learner& learner) {
  std::map<std::string, Tensor> state;
  for (const auto& [name, tensor] : named_tensors(learner.model()))
    state[name] = tensor.detach().clone();
  for (const auto& [name, tensor] : learner.ema()->averages())
    state["average of " + name] = tensor.clone();
  state["updates of the EMA"] = at::tensor(learner.ema()->updates());
  for (const auto& [index, moments] : learner.optimizer().state().moments) {
    state["step of " + std::to_string(index)] = moments.step.clone();
    state["first moment of " + std::to_string(index)] = moments.exp_avg.clone();
    state["second moment of " + std::to_string(index)] = moments.exp_avg_sq.clone();
  }
  return state;
}

void expect_equal(const std::map<std::string, Tensor>& got,
                  const std::map<std::string, Tensor>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (const auto& [name, tensor] : wanted) EXPECT_TRUE(got.at(name).equal(tensor)) << name;
}

void expect_no_gradients(Learner& learner) {
  for (const Tensor& parameter : trained_parameters(learner.model()))
    EXPECT_FALSE(parameter.grad().defined());
}

/// An infinite gradient of one parameter on the last rank, while it lives.
class Overflow {
 public:
  explicit Overflow(Learner& learner) : parameter_(trained_parameters(learner.model()).front()) {
    if (group().rank() != group().size() - 1) return;
    hook_ = parameter_.register_hook(
        [](const Tensor& gradient) { return at::full_like(gradient, kInfinity); });
    registered_ = true;
  }
  ~Overflow() {
    if (registered_) parameter_.remove_hook(hook_);
  }
  Overflow(const Overflow&) = delete;
  Overflow& operator=(const Overflow&) = delete;

 private:
  Tensor parameter_;
  unsigned hook_ = 0;
  bool registered_ = false;
};

/// What all ranks together have of make_batch(step, 3 and 5 boxes on ranks 0 and 1).
MicroBatch whole_batch(int64_t step) {
  std::vector<Tensor> images, labels, boxes;
  Targets targets;
  for (int rank = 0; rank < group().size(); ++rank) {
    const Batch batch = make_batch(step, 3 + 2 * rank, rank);
    images.push_back(batch.images);
    labels.push_back(batch.targets.labels);
    boxes.push_back(batch.targets.boxes);
    targets.counts.insert(targets.counts.end(), batch.targets.counts.begin(),
                          batch.targets.counts.end());
  }
  targets.labels = at::cat(labels);
  targets.boxes = at::cat(boxes).to(at::kDouble);
  return {.images = [all = at::cat(images)] { return to_model_input(all, at::kCPU, at::kDouble); },
          .targets = targets};
}

/// The norm of the gradient that one process computes from the batches of all ranks, in double
/// precision.
double norm_of_global_batch(const std::vector<int64_t>& batches) {
  ModelSpec spec = model_spec(ModelSize::kN, kClasses);
  spec.num_queries = 45;
  DFine model(spec, 3);
  model.to(at::kDouble);
  model.train();
  const auto trained = trained_parameters(model);
  TrainingStep step(model, trained, Criterion({.num_classes = kClasses}), Communicator());
  std::vector<MicroBatch> parts;
  for (const int64_t batch : batches) parts.push_back(whole_batch(batch));
  step.run(parts, {.seed = 0, .step = 0});
  double squares = 0;
  for (const Tensor& parameter : trained) {
    if (parameter.grad().defined()) squares += parameter.grad().square().sum().item<double>();
  }
  return std::sqrt(squares);
}

// As with weights that only rank zero has read.
TEST(Learner, StartsFromTheWeightsOfRankZero) {
  Learner learner = make_learner({}, 3 + static_cast<uint64_t>(group().rank()));
  const DFine of_rank_zero(small_spec(), 3);
  const auto tensors = named_tensors(learner.model());
  for (const auto& [name, tensor] : named_tensors(of_rank_zero))
    EXPECT_TRUE(tensors.at(name).equal(tensor)) << name;
}

// Single precision is within 0.1 % of double here (asserted: 1 %), half within the bound of
// StepsAreNearThoseInSinglePrecision. A sum over two ranks instead of their mean would be twice as
// large.
TEST(GradNorm, IsThatOfTheGlobalBatch) {
  for (const std::vector<int64_t>& batches : {std::vector<int64_t>{0}, {0, 1}}) {
    const double wanted = norm_of_global_batch(batches);
    using Type = std::optional<at::ScalarType>;
    for (const auto& [precision, bound] :
         {std::pair(Type(), 0.01), std::pair(Type(at::kHalf), 1.5 * 0.0772)}) {
      Learner learner = make_learner(precision);
      if (learner.scaler() != nullptr) learner.scaler()->load({.scale = 1024, .good_steps = 0});
      std::vector<Batch> mine;
      for (const int64_t batch : batches) mine.push_back(make_batch(batch, 3 + 2 * group().rank()));
      const StepResult result = learner.step(mine, kSize, 0);
      EXPECT_EQ(result.outcome, StepOutcome::kUpdated);
      EXPECT_NEAR(result.grad_norm, wanted, bound * wanted) << batches.size() << " micro-batches";

      // AdamW's first moment after one step is (1 - 0.9) times the clipped gradient, whose norm is
      // optim.clip_norm = 0.1. As torch.nn.utils.clip_grad_norm_ computes it, that is 0.1 / (norm +
      // 1e-6) times the norm.
      double squares = 0;
      for (const auto& [index, moments] : learner.optimizer().state().moments)
        squares += moments.exp_avg.to(at::kDouble).square().sum().item<double>();
      EXPECT_GT(result.grad_norm, 1);
      EXPECT_NEAR(std::sqrt(squares), 0.1 * 0.1 * result.grad_norm / (result.grad_norm + 1e-6),
                  1e-7);
    }
  }
}

TEST(BadStep, ANanOnOneRankLeavesNothingBehindOnAny) {
  Learner learner = make_learner();
  EXPECT_EQ(learner.step({make_batch(0)}, kSize, 0).outcome, StepOutcome::kUpdated);
  const auto before = state_of(learner);
  const StepResult result = learner.step({make_bad_batch(1)}, kSize, 1);
  EXPECT_EQ(result.outcome, StepOutcome::kNotFinite);
  EXPECT_FALSE(std::isfinite(result.loss));
  expect_equal(state_of(learner), before);
  expect_no_gradients(learner);
}

TEST(BadStep, AnInfiniteGradientAtAFiniteLossToo) {
  Learner learner = make_learner();
  const auto before = state_of(learner);
  const Overflow overflow(learner);
  const StepResult result = learner.step({make_batch(0)}, kSize, 0);
  EXPECT_TRUE(std::isfinite(result.loss));
  EXPECT_EQ(result.outcome, StepOutcome::kNotFinite);
  expect_equal(state_of(learner), before);
}

TEST(BadStep, InALaterMicroBatch) {
  Learner learner = make_learner();
  const auto before = state_of(learner);
  EXPECT_EQ(learner.step({make_batch(0), make_bad_batch(1)}, kSize, 0).outcome,
            StepOutcome::kNotFinite);
  expect_equal(state_of(learner), before);
  expect_no_gradients(learner);
}

// The step after a bad one is the one that a learner makes which never saw it.
TEST(BadStep, TheNextStepIsAsIfItHadNotBeen) {
  Learner disturbed = make_learner(), calm = make_learner();
  disturbed.step({make_bad_batch(7)}, kSize, 0);
  EXPECT_EQ(disturbed.step({make_batch(0)}, kSize, 0).outcome, StepOutcome::kUpdated);
  EXPECT_EQ(calm.step({make_batch(0)}, kSize, 0).outcome, StepOutcome::kUpdated);
  expect_equal(state_of(disturbed), state_of(calm));
}

/// The losses and norms that a learner reports, and what it comes to.
struct Course {
  std::vector<StepResult> results;
  std::map<std::string, Tensor> state;
};

/// Four steps, of which `bad` have a loss that is not a number. With `whole`, each is settled
/// before the next.
Course run_course(Learner& learner, const std::set<int>& bad, bool whole) {
  Course course;
  learner.optimizer().allocate_moments();
  const auto take = [&] {
    for (StepResult& result : learner.take_results()) course.results.push_back(std::move(result));
  };
  for (int k = 0; k < 4; ++k) {
    learner.begin_step({bad.contains(k) ? make_bad_batch(k) : make_batch(k)}, kSize, k);
    if (whole) learner.settle();
    take();
  }
  learner.settle();
  take();
  course.state = state_of(learner);
  return course;
}

void expect_near(const Course& got, const Course& wanted, double bound) {
  ASSERT_EQ(got.results.size(), wanted.results.size());
  for (size_t k = 0; k < wanted.results.size(); ++k) {
    const StepResult &mine = got.results[k], &theirs = wanted.results[k];
    EXPECT_EQ(mine.outcome, theirs.outcome) << k;
    EXPECT_EQ(mine.lr, theirs.lr) << k;
    if (theirs.outcome != StepOutcome::kUpdated) continue;
    EXPECT_EQ(mine.loss, theirs.loss) << k;
    EXPECT_EQ(mine.grad_norm, theirs.grad_norm) << k;
    EXPECT_EQ(mine.losses, theirs.losses) << k;
  }
  ASSERT_EQ(got.state.size(), wanted.state.size());
  for (const auto& [name, tensor] : wanted.state) {
    const Tensor& mine = got.state.at(name);
    if (name.starts_with("average of ")) {
      EXPECT_TRUE(at::allclose(mine, tensor, bound, bound)) << name;
    } else {
      EXPECT_TRUE(mine.equal(tensor)) << name;
    }
  }
}

// Bit for bit, but for the EMA, whose change is rounded once more.
TEST(LateReport, ComesToWhatAReportInTimeComesTo) {
  for (const std::set<int>& bad : {std::set<int>{}, {0}, {1}, {3}, {1, 2}}) {
    LearnerOptions options;
    options.optimizer.lr = 1e-3;
    options.ema = {.decay = 0.9, .warmup_steps = 4};
    Learner in_time(std::make_shared<DFine>(small_spec(), 3), options, group());
    const Course wanted = run_course(in_time, bad, true);
    ASSERT_EQ(wanted.results.size(), 4U);
    for (int k = 0; k < 4; ++k)
      EXPECT_EQ(wanted.results[static_cast<size_t>(k)].outcome,
                bad.contains(k) ? StepOutcome::kNotFinite : StepOutcome::kUpdated);
    Learner late = make_late_learner(), settled = make_late_learner();
    expect_near(run_course(late, bad, false), wanted, 1e-6);
    expect_near(run_course(settled, bad, true), wanted, 1e-6);
  }
}

TEST(LateReport, ComesAStepLater) {
  Learner learner = make_late_learner();
  learner.begin_step({make_batch(0)}, kSize, 0);
  EXPECT_TRUE(learner.take_results().empty());
  EXPECT_THROW(learner.state(), Error);
  learner.begin_step({make_bad_batch(1)}, kSize, 1);
  ASSERT_EQ(learner.take_results().size(), 1U);
  learner.settle();
  const auto results = learner.take_results();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].outcome, StepOutcome::kNotFinite);
  EXPECT_EQ(learner.ema()->updates(), 1);
  learner.state();
}

TEST(LateReport, ABadStepLeavesNothingBehind) {
  Learner learner = make_late_learner();
  learner.step({make_batch(0)}, kSize, 0);
  const auto before = state_of(learner);
  EXPECT_EQ(learner.step({make_bad_batch(1)}, kSize, 1).outcome, StepOutcome::kNotFinite);
  expect_equal(state_of(learner), before);
  const Overflow overflow(learner);
  EXPECT_EQ(learner.step({make_batch(2)}, kSize, 2).outcome, StepOutcome::kNotFinite);
  expect_equal(state_of(learner), before);
}

// The scale of a step is known once the matcher has waited, and that is before it is used.
TEST(LateReport, TheNextStepHasTheLoweredScale) {
  Learner learner = make_late_learner(at::kHalf);
  {
    const Overflow overflow(learner);
    learner.begin_step({make_batch(0)}, kSize, 0);
  }
  EXPECT_EQ(learner.scaler()->scale(), 65536);
  learner.begin_step({make_batch(0)}, kSize, 0);
  EXPECT_EQ(learner.scaler()->scale(), 32768);
  learner.settle();
  EXPECT_EQ(learner.take_results().front().outcome, StepOutcome::kOverflowed);
}

TEST(HalfPrecision, AnOverflowHalvesTheScaleUntilItIsOne) {
  Learner learner = make_learner(at::kHalf);
  const auto before = state_of(learner);
  {
    const Overflow overflow(learner);
    const StepResult result = learner.step({make_batch(0)}, kSize, 0);
    EXPECT_EQ(result.outcome, StepOutcome::kOverflowed);
    EXPECT_EQ(learner.scaler()->scale(), 32768);
    learner.scaler()->load({.scale = 1, .good_steps = 0});
    EXPECT_EQ(learner.step({make_batch(0)}, kSize, 0).outcome, StepOutcome::kNotFinite);
  }
  expect_equal(state_of(learner), before);
  learner.scaler()->load({.scale = 1024, .good_steps = 0});
  EXPECT_EQ(learner.step({make_batch(0)}, kSize, 0).outcome, StepOutcome::kUpdated);
  EXPECT_EQ(learner.scaler()->scale(), 1024);
  EXPECT_EQ(learner.scaler()->state().good_steps, 1);
}

// A NaN in the loss is not the scale's fault.
TEST(HalfPrecision, ANanInTheLossLeavesTheScale) {
  Learner learner = make_learner(at::kHalf);
  EXPECT_EQ(learner.step({make_bad_batch(0)}, kSize, 0).outcome, StepOutcome::kNotFinite);
  EXPECT_EQ(learner.scaler()->scale(), 65536);
}

// What a step in lower precision reports is near single precision's: within 1 % for bfloat16 (8
// bits), 0.2 % for half (11 bits). Weights, EMA and statistics stay in single precision. The
// gradients are unscaled before their norm is taken, so that it differs by no more than the
// gradients do. In the official code that is 23 % and 7.7 % for N (tests/golden/autocast.json),
// with the factor 1.5 as there.
TEST(MixedPrecision, StepsAreNearThoseInSinglePrecision) {
  Learner single = make_learner();
  const StepResult exact = single.step({make_batch(0)}, kSize, 0);
  for (const auto& [precision, bound, gradient_bound] :
       {std::tuple{at::kBFloat16, 1e-2, 1.5 * 0.231}, {at::kHalf, 2e-3, 1.5 * 0.0772}}) {
    Learner learner = make_learner(precision);
    if (learner.scaler() != nullptr) learner.scaler()->load({.scale = 1024, .good_steps = 0});
    const StepResult result = learner.step({make_batch(0)}, kSize, 0);
    EXPECT_EQ(result.outcome, StepOutcome::kUpdated);
    EXPECT_NEAR(result.loss, exact.loss, bound * exact.loss);
    EXPECT_NEAR(result.grad_norm, exact.grad_norm, gradient_bound * exact.grad_norm);
    for (const auto& [name, tensor] : named_tensors(learner.model())) {
      if (!tensor.is_floating_point()) continue;
      EXPECT_EQ(tensor.scalar_type(), at::kFloat) << name;
      EXPECT_TRUE(tensor.isfinite().all().item<bool>()) << name;
    }
  }
}

}  // namespace
}  // namespace dfine
