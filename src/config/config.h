#pragma once
// Every setting of a training run, with its default. config/keys_*.cpp describe each key: meaning,
// limits and official value. Reading, --print-config and docs/configuration.md come from there. An
// empty std::optional is "auto" there; the function named beside the field resolves it. 0 never
// means auto: it means off, none or no limit.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "augment/augment_config.h"
#include "config/choices.h"
#include "core/image_size.h"

namespace dfine::inline config {

struct RunConfig {
  std::string dir = "runs/train";
  std::string resume = "none";
  std::vector<std::string> allow_changed;
  double lock_seconds = 300;
  int64_t seed = 0;
  std::optional<DeviceChoice> device;  // join_ranks()
  std::optional<int64_t> threads;      // compute_threads()
  std::optional<Precision> precision;  // effective_precision()
  Tf32Use tf32 = Tf32Use::kOff;
  bool deterministic = false;
  bool detect_anomaly = false;
  double log_seconds = 10;
  bool tensorboard = true;
};

struct ModelConfig {
  std::string size = "n";
  std::string weights, backbone_weights;
  std::optional<int64_t> num_queries;  // model_options()
  int64_t num_denoising = 100;
  int64_t max_denoising_queries = 0;
  ClassHeads class_heads = ClassHeads::kByName;
  std::vector<std::string> freeze;
  bool freeze_backbone = false;
  std::optional<bool> freeze_norm;  // freezes_norm()
  bool freeze_stem = false;
  bool allow_random_frozen = false;
};

struct DataConfig {
  std::string train, val;
  ImageSize image_size{640, 640};
  int64_t batch_size = 4;
  int64_t workers = 4;
  bool shuffle = true;
  Augment augment = Augment::kFlip;  // effective_augment()
  bool multiscale = false;
  std::optional<int64_t> multiscale_repeat;  // multiscale_repeat()
  int64_t max_images = 0;
  OnCorrupt on_corrupt = OnCorrupt::kError;
  int64_t max_corrupt = 100;
  int64_t read_ahead = 4;
  std::string cache_dir;
  int64_t preview = 0;
};

struct OptimConfig {
  double lr = 1e-4;
  std::optional<double> backbone_lr;  // make_recipe()
  std::optional<int64_t> base_batch;  // make_recipe()
  LrScaling scale_lr = LrScaling::kNone;
  bool scale_schedule = false;
  LrSchedule schedule = LrSchedule::kConstant;
  std::vector<double> milestones;
  double gamma = 0.1;
  std::optional<double> flat_epochs;  // make_recipe()
  double final_lr_factor = 0.5;
  std::optional<int64_t> warmup_steps;  // auto_warmup_steps()
  std::optional<double> warmup_epochs;  // make_recipe()
  double weight_decay = 1e-4;
  std::vector<std::string> no_decay;  // see learner/parameter_groups.h
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double clip_norm = 0.1;
};

struct TrainConfig {
  int64_t epochs = 50;
  int64_t max_steps = 0;
  double max_minutes = 0;
  int64_t patience = 0;
  int64_t gradient_accumulation_steps = 1;
  GradientAccumulation gradient_accumulation = GradientAccumulation::kExact;
  GradientCompression gradient_compression = GradientCompression::kNone;
  int64_t max_bad_steps = 10;
  std::optional<double> stage2_epoch = 0;  // stage2_epoch()
  bool stage2_from_best = false;
  bool preflight = true;
};

struct EmaConfig {
  bool enabled = true;
  std::optional<double> decay;          // auto_ema_decay()
  std::optional<int64_t> warmup_steps;  // auto_ema_warmup()
  EmaRestart restart = EmaRestart::kNone;
  double restart_decay = 0.9999;
};

struct ValidateConfig {
  int64_t every_epochs = 1;
  std::optional<int64_t> batch_size;  // validation_options()
  ValidatedWeights weights = ValidatedWeights::kBoth;
};

struct CheckpointConfig {
  Monitor monitor = Monitor::kValLoss;
  int64_t every_steps = 0;
  double every_minutes = 30;
  int64_t keep = 2;
  int64_t keep_every = 0;
  int64_t max_failures = 5;
};

struct Config {
  RunConfig run;
  ModelConfig model;
  DataConfig data;
  AugmentConfig augment;
  OptimConfig optim;
  TrainConfig train;
  EmaConfig ema;
  ValidateConfig validate;
  CheckpointConfig checkpoint;
};

/// Whether the backbone's batch norms are frozen: what is set, else as the official models of this
/// size (variants/variants.h).
bool freezes_norm(const ModelConfig& model);

/// The augmentation that data.augment stands for: dfine: the [augment] table; flip: its flip alone;
/// none: nothing. The latter two drop no box.
AugmentConfig effective_augment(const Config& config);

/// data.multiscale_repeat, or the official one of this size (variants/variants.h).
int64_t multiscale_repeat(const Config& config);

/// The epoch (the first is 0) from which on only flip and rotation are left; 0: never.
/// train.stage2_epoch itself, or, below 1, that share of train.epochs to the nearest whole epoch
/// (halves up), at least 1 and at most train.epochs - 1. Unset: the official share of this size
/// (variants/variants.h).
int64_t stage2_epoch(const Config& config);

/// Precision of forward and backward: run.precision, or that of such a device.
Precision effective_precision(const RunConfig& run, bool cuda);

/// Compute threads of one rank: run.threads, or its share of the `cores` that it has together with
/// `ranks` - 1 others; at least 1. Loader threads are not subtracted: they mostly wait.
int compute_threads(const RunConfig& run, int cores, int ranks);

}  // namespace dfine::inline config
