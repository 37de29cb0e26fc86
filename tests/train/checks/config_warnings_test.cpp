#include "train/checks/config_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/plan/resolve.h"

namespace dfine {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A run like the official one of s on 10,000 images: nothing to say about it.
struct FineRun {
  FineRun() {
    config.model.size = "s";
    config.optim.lr = 2e-4;
    config.train.epochs = 132;
    config.train.stage2_epoch = 120;
  }
  std::vector<std::string> warnings() const {
    RunPlan plan;
    plan.layout = shape;
    plan.recipe = make_recipe(config, shape);
    plan.model.spec.num_queries = 300;
    plan.model.class_names = {"cat", "dog"};
    return config_warnings(config, plan, train, val);
  }

  Config config;
  EpochLayout shape{.steps_per_epoch = 312, .global_batch = 32, .world_size = 4};
  DatasetStats train{.images = 10'000, .boxes = 30, .most_boxes = 5, .boxes_of_class = {10, 20}};
  std::optional<DatasetStats> val =
      DatasetStats{.images = 10, .boxes = 3, .most_boxes = 1, .boxes_of_class = {3, 0}};
};

TEST(Advice, NothingAboutASoundRun) {
  EXPECT_THAT(FineRun().warnings(), IsEmpty());
}

TEST(Advice, TooFewSteps) {
  FineRun run;
  run.config.train.stage2_epoch = 0;
  run.config.train.epochs = 1;
  EXPECT_THAT(run.warnings(), ElementsAre(AllOf(HasSubstr("312"), HasSubstr("train.epochs"))));
}

TEST(Advice, TooFewStepsByTheirLimit) {
  FineRun run;
  run.config.train.max_steps = 100;
  EXPECT_THAT(run.warnings(), ElementsAre(AllOf(HasSubstr("train.max_steps (100)"),
                                                Not(HasSubstr("train.epochs")))));
}

TEST(Advice, FrozenRandomLayers) {
  FineRun run;
  run.config.model.freeze_stem = true;
  EXPECT_THAT(run.warnings(),
              ElementsAre(AllOf(HasSubstr("model.weights"), HasSubstr("model.freeze_stem"))));
  run.config.model.weights = "dfine-s";
  EXPECT_THAT(run.warnings(), IsEmpty());
}

// The failing recipe of Peterande/D-FINE's issues 330, 294, 273, 214 and 72: 0.9999 without ramp
// over 432 updates.
TEST(Advice, AnAverageThatKeepsTheRandomHead) {
  FineRun run;
  run.config.train.epochs = 36;
  run.config.train.stage2_epoch = 30;
  run.shape.steps_per_epoch = 12;
  run.config.ema.decay = 0.9999;
  run.config.ema.warmup_steps = 0;
  EXPECT_THAT(
      run.warnings(),
      ElementsAre(HasSubstr("432"), AllOf(HasSubstr("96 %"), HasSubstr("ema.decay = \"auto\""))));
  run.config.ema.enabled = false;
  EXPECT_THAT(run.warnings(), ElementsAre(HasSubstr("432")));
}

TEST(Advice, AWarmUpAsLongAsTheRun) {
  FineRun run;
  run.config.optim.warmup_steps = 41'184;  // 132 x 312
  EXPECT_THAT(run.warnings(),
              ElementsAre(AllOf(HasSubstr("41184"), HasSubstr("optim.warmup_steps = \"auto\""))));
  run.config.optim.warmup_steps = 41'183;
  EXPECT_THAT(run.warnings(), IsEmpty());
  run.config.optim.warmup_epochs = 132;
  EXPECT_THAT(run.warnings(), ElementsAre(HasSubstr("optim.warmup_epochs = \"auto\"")));
}

TEST(Advice, UsualLrs) {
  const UsualLrs usual = usual_lrs("s", 8);  // 2e-4 at 32: linear 5e-5, square root 1e-4
  EXPECT_DOUBLE_EQ(usual.least, 5e-5 / 4);
  EXPECT_DOUBLE_EQ(usual.usual, 1e-4);
  EXPECT_DOUBLE_EQ(usual.most, 4e-4);
}

// Official: s 2e-4 at 32, so between 2e-4 / 8 and 2e-4 / sqrt(8) at 4; a factor of 4 is allowed on
// either side.
TEST(Advice, ARateFarFromTheRecipe) {
  FineRun run;
  run.shape.global_batch = 4;
  for (const double lr : {2.5e-5, 7.07e-5, 2.8e-4, 6.3e-6}) {
    run.config.optim.lr = lr;
    EXPECT_THAT(run.warnings(), IsEmpty()) << lr;
  }
  for (const double lr : {2.9e-4, 6.2e-6}) {
    run.config.optim.lr = lr;
    EXPECT_THAT(run.warnings(), ElementsAre(AllOf(HasSubstr("recipe"), HasSubstr("optim.lr"))))
        << lr;
  }
}

TEST(Advice, ARateStatedForAnotherBatch) {
  FineRun run;
  run.shape.global_batch = 8;
  run.config.optim.base_batch = 32;
  EXPECT_THAT(run.warnings(), ElementsAre(AllOf(HasSubstr("32"), HasSubstr("optim.scale_lr"))));
  run.config.optim.scale_lr = LrScaling::kSqrt;
  EXPECT_THAT(run.warnings(), IsEmpty());
}

TEST(Advice, ImagesWithMoreBoxesThanQueries) {
  FineRun run;
  run.train.most_boxes = 400;
  run.train.boxes_of_image = {300, 5, 301, 0, 400};
  run.val->most_boxes = 300;
  run.val->boxes_of_image = {300};
  EXPECT_THAT(run.warnings(),
              ElementsAre(AllOf(HasSubstr("data.train"), HasSubstr("400"),
                                HasSubstr("model.num_queries"), HasSubstr("300"), HasSubstr("100"),
                                HasSubstr("2 images of 10000"), HasSubstr("COCO AP"))));
  run.train.boxes_of_image.clear();
  run.val->most_boxes = 301;
  run.val->boxes_of_image = {301, 2};
  EXPECT_THAT(run.warnings(), ElementsAre(AllOf(HasSubstr("data.val"), HasSubstr(" 1 of "),
                                                HasSubstr("1 image of 10 "))));
}

TEST(Advice, ClassesAndValidationWithoutBoxes) {
  FineRun run;
  run.train.boxes_of_class = {0, 30};
  run.val->boxes = 0;
  EXPECT_THAT(run.warnings(), ElementsAre(HasSubstr("cat"), HasSubstr("data.val")));
  run.val.reset();
  run.train.boxes_of_class = {0, 0};
  EXPECT_THAT(run.warnings(), ElementsAre(HasSubstr("2 classes: cat, dog")));
}

TEST(Advice, AugmentationThatNeverStops) {
  FineRun run;
  run.config.train.stage2_epoch = 132;
  EXPECT_THAT(run.warnings(), ElementsAre(AllOf(HasSubstr("train.stage2_epoch = 132"),
                                                HasSubstr("train.stage2_epoch = \"auto\""))));
  run.config.train.stage2_epoch.reset();
  EXPECT_THAT(run.warnings(), IsEmpty());
}

}  // namespace
}  // namespace dfine
