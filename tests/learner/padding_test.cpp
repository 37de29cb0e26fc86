// A padded step has the same values as a plain one, and the same operations on the same shapes
// whatever boxes its images have.
#include "learner/padding.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/text.h"
#include "learner/step.h"
#include "model/denoising.h"
#include "one_step.h"
#include "rank_main.h"

namespace dfine {
namespace {

std::vector<std::string>* recorded = nullptr;

std::string shapes(const c10::ArrayRef<const c10::IValue>& inputs) {
  std::string text;
  for (const c10::IValue& input : inputs) {
    if (input.isTensor()) {
      if (input.toTensor().defined()) text += str_cat(" ", input.toTensor().sizes());
    } else if (input.isTensorList()) {
      for (const Tensor& tensor : input.toTensorList()) text += str_cat(" ", tensor.sizes());
    } else if (input.isIntList()) {
      text += str_cat(" ", c10::IntArrayRef(input.toIntVector()));
    } else if (input.isInt()) {
      text += str_cat(" ", input.toInt());
    }
  }
  return text;
}

/// The operations of `body`, each with the shapes and whole numbers that it gets.
template <class Body>
std::vector<std::string> operations_of(const Body& body) {
  std::vector<std::string> operations;
  recorded = &operations;
  const auto callback = at::addGlobalCallback(
      at::RecordFunctionCallback(
          [](const at::RecordFunction& f) -> std::unique_ptr<at::ObserverContext> {
            recorded->push_back(str_cat(f.name(), shapes(f.inputs())));
            return nullptr;
          })
          .needsInputs(true)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  body();
  at::removeCallback(callback);
  return operations;
}

std::vector<std::string> operations_of_step(const std::vector<int>& counts, bool padded) {
  const GlobalBatch batch = make_batch(counts);
  const Cut cut{.dtype = at::kFloat, .padded = padded};
  const auto model = make_model(cut.dtype, cut.spec);
  TrainingStep step(*model, trained_parameters(*model), Criterion({.num_classes = kClasses}),
                    Communicator(), {.autocast = {}, .padded = padded});
  const std::vector<MicroBatch> parts = split(batch, Communicator(), cut);
  return operations_of([&] { step.run(parts, {.seed = 17, .step = 4}); });
}

TEST(PaddedStep, HasTheSameOperationsForAllBoxes) {
  if (test::group().size() > 1) GTEST_SKIP() << "every rank would do the same";
  const std::vector<std::string> expected = operations_of_step({7, 3}, true);
  ASSERT_GT(expected.size(), 1000U);
  EXPECT_NE(operations_of_step({7, 3}, false), operations_of_step({7, 4}, false));
  CounterRandom random(8, Stream::kTest, 0);
  for (int k = 0; k < 50; ++k) {
    std::vector<int> counts{static_cast<int>(random.below(101)),
                            static_cast<int>(random.below(101))};
    if (k == 0) counts = {0, 0};
    if (k == 1) counts = {100, 100};
    const std::vector<std::string> operations = operations_of_step(counts, true);
    for (size_t i = 0; i < std::min(operations.size(), expected.size()); ++i)
      ASSERT_EQ(operations[i], expected[i]) << counts[0] << " and " << counts[1] << " boxes, " << i;
    ASSERT_EQ(operations.size(), expected.size());
  }
}

TEST(PaddedStep, MoreBoxesHaveLargerShapes) {
  if (test::group().size() > 1) GTEST_SKIP() << "every rank would do the same";
  EXPECT_EQ(operations_of_step({101, 3}, true), operations_of_step({0, 200}, true));
  EXPECT_NE(operations_of_step({100, 3}, true), operations_of_step({101, 3}, true));
}

/// The step in double precision, padded and not.
void compare(const std::vector<int>& counts, Cut cut = {}) {
  const GlobalBatch batch = make_batch(counts);
  const Outcome plain = run_step(batch, test::group(), cut);
  cut.padded = true;
  Outcome padded = run_step(batch, test::group(), cut);
  // Without any box, only the padded step has the terms of denoising queries.
  while (padded.terms.size() > plain.terms.size()) {
    EXPECT_EQ(padded.terms.back().second, 0) << padded.terms.back().first;
    padded.terms.pop_back();
  }
  expect_same(padded, plain, 1e-9);
  EXPECT_EQ(padded.without_denoising, plain.without_denoising);
}

TEST(PaddedStep, EqualsThePlainStep) {
  compare({7, 3, 0, 1});
  compare({1, 0, 0, 1});
  compare({60, 30, 0, 51});
}

TEST(PaddedStep, WithoutBoxes) {
  compare({0, 0, 0, 0});
}

TEST(PaddedStep, WithFullImages) {
  compare({100, 100, 100, 100});
}

TEST(PaddedStep, BeyondTheFirstShape) {
  compare({130, 3, 0, 1});
}

TEST(PaddedStep, WithALimitOfDenoisingQueries) {
  compare({7, 1, 5, 2}, {.spec = limited_spec()});
}

TEST(PaddedStep, WithoutDenoising) {
  ModelSpec spec = small_spec();
  spec.num_denoising = 0;
  compare({7, 1, 5, 2}, {.spec = spec});
}

TEST(PaddedStep, WithMicroBatches) {
  if (test::group().size() > 2) GTEST_SKIP() << "needs two micro-batches of each rank";
  compare({7, 1, 0, 0}, {.micro_batches = 2, .live_norms = false});
  compare({7, 1, 0, 0}, {.micro_batches = 2, .accumulation = GradientAccumulation::kAveraged});
}

TEST(PaddedBoxes, GrowInHundreds) {
  EXPECT_EQ(padded_boxes(0), 100);
  EXPECT_EQ(padded_boxes(100), 100);
  EXPECT_EQ(padded_boxes(101), 200);
  EXPECT_EQ(padded_boxes(2000), 2000);
}

/// Queries of a batch whose fullest image has `boxes` boxes.
int64_t queries(int64_t boxes, int64_t num_denoising, int64_t limit) {
  ModelSpec spec = small_spec();
  spec.num_denoising = num_denoising;
  spec.max_denoising_queries = limit;
  return pad(denoising_meta(num_denoising, boxes, limit), spec, padded_boxes(boxes)).num_queries();
}

TEST(PaddedQueries, AreTheSameUpToAHundredBoxes) {
  for (const auto& [num_denoising, limit, expected] :
       {std::tuple{100, 0, 200}, {30, 0, 200}, {30, 60, 60}, {150, 0, 300}, {150, 400, 300}}) {
    for (int64_t boxes = 0; boxes <= 100; ++boxes) {
      EXPECT_EQ(queries(boxes, num_denoising, limit), expected) << boxes;
      EXPECT_LE(denoising_meta(num_denoising, boxes, limit).num_queries(), expected) << boxes;
    }
  }
  EXPECT_EQ(queries(101, 100, 0), 400);
  EXPECT_EQ(queries(101, 100, 300), 300);
  EXPECT_EQ(queries(7, 0, 0), 0);
}

}  // namespace
}  // namespace dfine
