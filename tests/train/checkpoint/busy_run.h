#pragma once
// A run's state for tests, and the comparison of two.
#include <gtest/gtest.h>

#include "train/checkpoint/run_state.h"

namespace dfine {

/// A run's state with no field as it is by default.
inline RunState busy_run(int64_t step) {
  RunState run;
  run.step = step;
  run.epoch = 3;
  run.epoch_samples = 24;
  run.samples = 1230;
  run.stage = 2;
  run.validation_due = true;
  run.back_to_best_due = true;
  run.bad_steps = 4;
  run.validations_without_best = 2;
  run.val_loss = 1.0 / 3;
  run.best = RunState::Best{
      .monitor = Monitor::kAp, .value = 0.1, .epoch = 2, .step = 5, .val_loss = 2.0 / 3};
  run.best_stage1 = 4;
  run.weights = WeightsKind::kRaw;
  run.run_id = "0123456789abcdef0123456789abcdef";
  run.attempt = 6;
  run.minutes = 61.7;
  run.world_size = 4;
  run.global_batch = 8;
  run.train_data = "3f2a91c0 (205 images)";
  run.val_data = "00000001 (1 image)";
  run.config = "[run]\nseed = 11  # \"\\\u00e9\n";
  return run;
}

inline void expect_same(const RunState& a, const RunState& b) {
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.epoch_samples, b.epoch_samples);
  EXPECT_EQ(a.samples, b.samples);
  EXPECT_EQ(a.stage, b.stage);
  EXPECT_EQ(a.validation_due, b.validation_due);
  EXPECT_EQ(a.back_to_best_due, b.back_to_best_due);
  EXPECT_EQ(a.bad_steps, b.bad_steps);
  EXPECT_EQ(a.validations_without_best, b.validations_without_best);
  EXPECT_EQ(a.val_loss, b.val_loss);
  ASSERT_EQ(a.best.has_value(), b.best.has_value());
  if (a.best) {
    EXPECT_EQ(a.best->monitor, b.best->monitor);
    EXPECT_EQ(a.best->value, b.best->value);
    EXPECT_EQ(a.best->epoch, b.best->epoch);
    EXPECT_EQ(a.best->step, b.best->step);
    EXPECT_EQ(a.best->val_loss, b.best->val_loss);
  }
  EXPECT_EQ(a.best_stage1, b.best_stage1);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.run_id, b.run_id);
  EXPECT_EQ(a.attempt, b.attempt);
  EXPECT_EQ(a.minutes, b.minutes);
  EXPECT_EQ(a.world_size, b.world_size);
  EXPECT_EQ(a.global_batch, b.global_batch);
  EXPECT_EQ(a.train_data, b.train_data);
  EXPECT_EQ(a.val_data, b.val_data);
  EXPECT_EQ(a.config, b.config);
}

}  // namespace dfine
