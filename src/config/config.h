#pragma once
// Every setting of a training run, with its default. config/keys_*.cpp give each key its full
// description and its limits: reading, --print-config and docs/configuration.md all come from
// there. Official values: github.com/Peterande/D-FINE, configs/.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "augment/augment_config.h"
#include "config/choices.h"
#include "core/image_size.h"

namespace dfine::inline config {

struct RunConfig {
  std::string dir = "runs/train";             // folder of metrics, log and checkpoints
  std::string resume = "none";                // none, auto, or the path of a checkpoint folder
  int64_t seed = 0;                           // key of every random draw
  DeviceChoice device = DeviceChoice::kAuto;  // auto: CUDA when the build and the node have it
  int64_t threads = 0;                        // compute threads of a rank; 0: see compute_threads()
  Precision precision =
      Precision::kAuto;         // of forward and backward; auto: bf16 on GPUs, fp32 on CPUs
  bool deterministic = false;   // bit-equal repetition at the same rank and thread count
  bool detect_anomaly = false;  // stop at the operation whose gradient is NaN; slow
  int64_t log_every = 20;       // steps between plain progress lines
};

struct ModelConfig {
  std::string size = "n";       // n s m l x
  std::string weights;          // folder or .safetensors to start from; empty: random
  int64_t num_queries = 0;      // 0: what the weights' config.json says, else 300 (official)
  int64_t num_denoising = 100;  // denoising queries per image, about; 0: off (official: 100)
  int64_t max_denoising_queries =
      0;  // positive and negative ones per image; 0: no limit (official)
  ClassHeads class_heads = ClassHeads::kByName;  // which rows of the weights' class heads go where
  std::vector<std::string>
      freeze;  // parameters that do not learn: regular expressions on published names
  bool freeze_backbone = false;     // all backbone weights and norms
  std::optional<bool> freeze_norm;  // backbone batch norms; unset: by size, see freezes_norm()
  bool freeze_stem =
      false;  // the backbone's stem convolutions (official recipes of l and x set it)
};

struct DataConfig {
  std::string train, val;            // folders that dfine-pack wrote
  ImageSize image_size{640, 640};    // network input; sides divisible by 32 (official: 640)
  int64_t batch_size = 4;            // images per rank and step
  int64_t workers = 4;               // loader threads per rank; 0: the training thread loads
  bool shuffle = true;               // a new order each epoch
  Augment augment = Augment::kFlip;  // see effective_augment()
  bool multiscale = false;           // another input size each step, the same on all ranks
  int64_t multiscale_repeat =
      0;  // shares of image_size itself among the sizes; 0: see multiscale_repeat()
  int64_t max_images = 0;                    // use the first N images of either pack; 0: all
  OnCorrupt on_corrupt = OnCorrupt::kError;  // when a training record is damaged
  int64_t max_corrupt = 100;  // damaged records skipped before the run ends, over all ranks
  int64_t read_ahead =
      4;  // batches beyond those being loaded whose files the system is asked for; 0: none
  std::string cache_dir;  // node-local folder that packs are copied to; empty: none
  int64_t preview = 0;    // first training batches to draw into run.dir/preview
};

struct OptimConfig {
  double lr = 1e-4;        // of all parameters, at base_batch; see scale_lr
  double backbone_lr = 0;  // of the backbone; 0: lr
  int64_t base_batch = 0;  // global batch that the learning rates are stated for; 0: whatever it is
  LrScaling scale_lr = LrScaling::kNone;  // how the learning rates follow the global batch
  bool scale_schedule = false;  // EMA and warm-ups follow it too (the official README's rule)
  LrSchedule schedule = LrSchedule::kConstant;  // after the warm-up (official: constant)
  std::vector<double> milestones;               // epochs, for multistep
  double gamma = 0.1;                           // factor at each milestone
  double flat_epochs = 0;        // before the cosine of flat_cosine; 0: half of train.epochs
  double final_lr_factor = 0.5;  // of the learning rates, where that cosine ends
  std::optional<int64_t>
      warmup_steps;          // linear warm-up; 0: none; unset: auto_warmup_steps() (official: 500)
  double warmup_epochs = 0;  // the same in epochs; 0: see warmup_steps
  double weight_decay = 1e-4;         // decoupled (official: 1e-4 n s m, 1.25e-4 l x)
  std::vector<std::string> no_decay;  // parameters without it: regular expressions on roles and
                                      // names; see learner/parameter_groups.h
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double clip_norm = 0.1;  // largest global gradient norm; 0: off (official: 0.1)
};

struct TrainConfig {
  int64_t epochs = 50;     // passes over the training images
  int64_t max_steps = 0;   // stop after N optimizer steps; 0: no limit
  double max_minutes = 0;  // stop after so much time; 0: no limit
  int64_t patience = 0;    // stop after N validations in a row without a new best; 0: never
  int64_t gradient_accumulation_steps = 1;  // micro-batches whose gradients make one step
  GradientAccumulation gradient_accumulation =
      GradientAccumulation::kExact;  // how they are made one
  int64_t max_bad_steps =
      10;  // steps in a row with a loss or gradient that is not finite, before the run ends
  std::optional<double> stage2_epoch =
      0;                          // only flip and rotation from then on; see stage2_epoch()
  bool stage2_from_best = false;  // go back to the best weights then (official: on)
  bool preflight = true;          // before the first step, try the largest one there can be
};

struct EmaConfig {
  bool enabled = true;                     // keep an EMA of the weights (official: on)
  std::optional<double> decay;             // unset: auto_ema_decay() (official: 0.9999)
  std::optional<int64_t> warmup_steps;     // decay * (1 - exp(-step / warmup_steps)); 0: no ramp;
                                           // unset: auto_ema_warmup() (official: 1000)
  EmaRestart restart = EmaRestart::kNone;  // what train.stage2_epoch does to the decay
  double restart_decay = 0.9999;           // the decay from there on, if restart is kIntended
};

struct ValidateConfig {
  int64_t every_epochs = 1;  // and after the last; 0: never
  int64_t batch_size = 0;    // images per rank; 0: data.batch_size
  ValidatedWeights weights =
      ValidatedWeights::kBoth;  // of which weights; both: the better ones count
};

struct CheckpointConfig {
  Monitor monitor = Monitor::kValLoss;  // what decides which checkpoint is `best`
  int64_t every_steps = 0;  // write `last` also every N steps; 0: at the end of each epoch only
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

/// Precision of forward and backward on such a device: run.precision, auto resolved.
Precision effective_precision(const RunConfig& run, bool cuda);

/// Compute threads of one rank: run.threads, or the node's cores shared by its ranks less
/// data.workers; at least 1.
int compute_threads(const Config& config, int node_cores, int ranks_on_node);

}  // namespace dfine::inline config
