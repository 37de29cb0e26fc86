#pragma once
// What a run does, in the terms of each layer: no `auto`, no default that depends on something
// else, no scaling left to do. resolve() (plan/resolve.h) makes it from the configuration.
#include <cstdint>
#include <string>
#include <vector>

#include "config/choices.h"
#include "eval/validate.h"
#include "learner/build_model.h"
#include "learner/learner.h"
#include "learner/train_feed.h"
#include "train/plan/epoch_layout.h"
#include "train/plan/recipe.h"

namespace dfine::inline plan {

struct ValidationPlan {
  int64_t every_epochs = 1;  // and after the last epoch; 0: never
  ValidatedWeights weights = ValidatedWeights::kBoth;
  Monitor monitor = Monitor::kValLoss;  // what decides which weights and which checkpoint are best
  ValidationOptions options;
};

/// Of the loop over the steps.
struct LoopPlan {
  int64_t epochs = 0;
  int64_t max_steps = 0;       // stop after N optimizer steps; 0: no limit
  double max_minutes = 0;      // stop after so much time; 0: no limit
  int64_t patience = 0;        // stop after N validations without a new best; 0: never
  int64_t max_bad_steps = 10;  // steps in a row without a finite loss or gradient
  double log_seconds = 10;     // between progress lines in the log
  bool tensorboard = true;
  int64_t preview = 0;  // first training batches to draw into the run folder
  bool preflight = true;
  bool stage2_from_best = false;  // stage 2 begins with the best weights
  EmaRestart ema_restart = EmaRestart::kNone;
  double ema_restart_decay = 0.9999;
};

struct CheckpointPlan {
  int64_t every_steps = 0;   // also every N steps; 0: after epochs only
  double every_minutes = 0;  // also when the last one is so old; 0: never
  int64_t keep = 2;          // of the newest N steps that were saved
  int64_t keep_every = 0;    // and those at the end of every N-th epoch; 0: none
  int64_t max_failures = 5;  // to write, in a row, before the run ends
};

struct RunPlan {
  std::string config;      // the whole configuration, TOML
  std::string run_dir;     // folder of metrics, log and checkpoints
  std::string model_size;  // n s m l x
  EpochLayout layout;
  Recipe recipe;
  ModelOptions model;
  LearnerOptions learner;
  FeedOptions feed;
  ValidationPlan validation;
  LoopPlan loop;
  CheckpointPlan checkpoint;
  std::string train_data, val_data;        // see RunState
  std::string val_pack;                    // folder; empty: no validation
  std::vector<std::string> allow_changed;  // what a checkpoint may differ in
};

/// One line for people: steps, batch, learning rates, warm-up, EMA.
std::string describe_recipe(const RunPlan& plan);

/// Training images of an epoch that fill no whole global batch, in words; empty: none.
std::string describe_dropped(const FeedOptions& feed);

}  // namespace dfine::inline plan
