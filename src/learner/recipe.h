#pragma once
// What a configuration means for a run of a certain length and batch: every rate, decay and warm-up
// as a number.
#include <cstdint>
#include <string>

#include "config/config.h"
#include "optim/schedule.h"

namespace dfine::inline learner {

/// What the meaning of a step depends on.
struct EpochLayout {
  int64_t steps_per_epoch = 0, global_batch = 0;
  int world_size = 1;
};

struct Recipe {
  int64_t total_steps = 0;    // optimizer steps of the run
  int64_t stage2_epoch = 0;   // see stage2_epoch(); 0: none
  double batch_ratio = 1;     // global batch / optim.base_batch; 1 where that is not stated
  double lr = 0;              // after the warm-up, scaled to the batch
  double backbone_lr = 0;     // likewise
  LrScheduleParams lr_shape;  // factor of both at each step
  double ema_decay = 0;
  int64_t ema_warmup_steps = 0;
};

/// Resolves `auto`, epochs and the scaling to the global batch.
Recipe make_recipe(const Config& config, const EpochLayout& shape);

/// optim.warmup_steps = "auto": a twentieth of the run, at most 500, the official value.
int64_t auto_warmup_steps(int64_t total_steps);

/// ema.decay = "auto": 1 - 20 / total_steps, at most 0.9999, the official value (whose runs have
/// some 150,000 steps and more, so that the EMA reaches back a fifteenth of them or less). With
/// the warm-up below the initial weights' share at the end is at most exp(-20).
double auto_ema_decay(int64_t total_steps);

/// ema.warmup_steps = "auto": a fiftieth of the run, at most 1000, the official value.
int64_t auto_ema_warmup(int64_t total_steps);

/// The share of the initial weights in the EMA after `updates` updates: the product of the
/// decays.
double ema_initial_weight(double decay, int64_t warmup_steps, int64_t updates);

/// Training images of an epoch that fill no whole global batch, in words; empty: none.
std::string describe_dropped(const Config& config, const EpochLayout& shape, int64_t num_images);

/// One line for people: steps, batch, rates, warm-up, average.
std::string describe_recipe(const Recipe& recipe, const Config& config, const EpochLayout& shape);

}  // namespace dfine::inline learner
