#pragma once
// What a configuration means for a run of a certain length and batch: every learning rate, decay
// and warm-up as a number.
#include <cstdint>

#include "optim/schedule.h"

namespace dfine::inline plan {

struct Recipe {
  int64_t total_steps = 0;       // optimizer steps of the run
  int64_t stage2_epoch = 0;      // see stage2_epoch(); 0: none
  double batch_ratio = 1;        // global batch / optim.base_batch; 1 where that is not stated
  double lr_scale = 1;           // of the learning rates: what optim.scale_lr makes of batch_ratio
  double lr = 0;                 // after the warm-up, scaled to the batch
  double backbone_lr = 0;        // likewise
  LrScheduleParams lr_schedule;  // factor of both at each step
  double ema_decay = 0;
  int64_t ema_warmup_steps = 0;
};

/// optim.warmup_steps = "auto": a twentieth of the run, at most 500, the official value.
int64_t auto_warmup_steps(int64_t total_steps);

/// ema.decay = "auto": 1 - 20 / total_steps, at most 0.9999, the official value. Official runs have
/// some 150,000 steps and more, so that the EMA reaches back a fifteenth of them or less. With the
/// warm-up below the initial weights' share at the end is at most exp(-20).
double auto_ema_decay(int64_t total_steps);

/// ema.warmup_steps = "auto": a fiftieth of the run, at most 1000, the official value.
int64_t auto_ema_warmup(int64_t total_steps);

/// The weight of the initial values in the EMA after `updates` updates: the product of the
/// decays.
double ema_initial_weight(double decay, int64_t warmup_steps, int64_t updates);

}  // namespace dfine::inline plan
