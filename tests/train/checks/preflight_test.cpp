// The trial before the first step. Run under mpirun with 1 and 2 ranks.
#include "train/checks/preflight.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "core/error.h"
#include "rank_main.h"
#include "train/plan/resolve.h"
#include "weights/weights.h"

namespace dfine {
namespace {

using test::group;

constexpr ImageSize kSize{96, 96};

Config small_config(Precision precision = Precision::kFp32) {
  Config config;
  config.run.precision = precision;
  config.data.image_size = kSize;
  config.data.batch_size = 2;
  config.model.num_queries = 45;  // every token
  return config;
}

const std::vector<Category> kCategories{{.id = 1, .name = "cat"}, {.id = 2, .name = "dog"}};

RunPlan plan_of(const Config& config) {
  return resolve(config, kCategories, 4 * group().size(), group().size(), /*cuda=*/false);
}

Learner make_learner(const RunPlan& plan) {
  return {build_model(plan.model, false), plan.learner, group()};
}

DatasetStats stats(std::vector<int32_t> boxes_of_image) {
  DatasetStats data{.images = static_cast<int64_t>(boxes_of_image.size()),
                    .boxes_of_class = {1, 1}};
  data.most_boxes = *std::ranges::max_element(boxes_of_image);
  data.boxes_of_image = std::move(boxes_of_image);
  return data;
}

// A step of half precision whose gradients overflow is skipped, and would leave AdamW without the
// memory of every later one.
TEST(Preflight, HasTheMomentsEvenWhenTheStepOverflows) {
  const RunPlan plan = plan_of(small_config(Precision::kFp16));
  Learner trial = make_learner(plan);
  const auto trained = trained_parameters(trial.model());
  const unsigned hook = trained.front().register_hook([](const Tensor& gradient) {
    return at::full_like(gradient, std::numeric_limits<double>::infinity());
  });
  try_step(trial, plan.feed, kSize, {3, 1});
  trained.front().remove_hook(hook);
  EXPECT_EQ(trial.scaler()->scale(), 32768);  // it did overflow
  EXPECT_EQ(trial.optimizer().state().moments.size(), trained.size());
}

TEST(Preflight, ValidationUsesTheAverageAndPutsTheWeightsBack) {
  const RunPlan plan = plan_of(small_config());
  Learner trial = make_learner(plan);
  try_step(trial, plan.feed, kSize, {3, 1});
  const Tensor raw = trained_parameters(trial.model()).front().detach().clone();
  try_validation(trial, kSize, {3, 0, 2}, group());
  EXPECT_TRUE(trained_parameters(trial.model()).front().equal(raw));
  EXPECT_TRUE(trial.model().is_training());
}

TEST(Preflight, SaysWhatWasTriedAndLeavesRandomNumbersAlone) {
  Config config = small_config();
  config.validate.batch_size = 3;
  const RunPlan plan = plan_of(config);  // two steps per epoch
  const auto generator = at::detail::getDefaultCPUGenerator().get_state();
  const Preflight tried = preflight(plan, stats({1, 9, 4, 4, 0}), stats({1, 1, 1, 1}), group());
  EXPECT_TRUE(at::detail::getDefaultCPUGenerator().get_state().equal(generator));
  EXPECT_EQ(tried.size, kSize);
  EXPECT_EQ(tried.boxes.image, 9);
  EXPECT_EQ(tried.boxes.batch, 13);
  EXPECT_EQ(tried.validation_images, group().size() == 1 ? 3 : 2);  // a rank has 4 images or 2
  EXPECT_GT(tried.peak_bytes, 0);
  EXPECT_GE(tried.validation_peak_bytes, tried.peak_bytes);
  EXPECT_EQ(preflight(plan, stats({1, 0}), {}, group()).validation_images, 0);
}

}  // namespace
}  // namespace dfine
