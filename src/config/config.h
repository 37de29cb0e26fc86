#pragma once
// Every setting of a training run, with its default. config/keys.cpp gives each key its full description and its limits: reading,
// --print-config and docs/configuration.md all come from there. Official values: github.com/Peterande/D-FINE, configs/.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/augment_config.h"
#include "core/image_size.h"

namespace dfine {

enum class DeviceChoice { kAuto, kCpu, kCuda };
enum class Precision { kFp32 };
enum class Augment { kDfine, kFlip, kNone };
enum class OnBad { kError, kSkip };
enum class Monitor { kValLoss, kAp };

struct RunConfig {
  std::string dir = "runs/train";             // folder of metrics, log and checkpoints
  std::string resume = "none";                // none, auto, or the path of a checkpoint folder
  int64_t seed = 0;                           // key of every random draw
  DeviceChoice device = DeviceChoice::kAuto;  // auto: CUDA when the build and the node have it
  int64_t threads = 0;                        // compute threads of a rank; 0: see compute_threads()
  Precision precision = Precision::kFp32;     // of forward and backward
  bool deterministic = false;                 // bit-equal repetition at the same rank and thread count
  bool detect_anomaly = false;                // stop at the operation whose gradient is NaN; slow
  int64_t log_every = 20;                     // steps between plain progress lines
};

struct ModelConfig {
  std::string size = "n";           // n s m l x
  std::string weights;              // folder or .safetensors to start from; empty: random
  int64_t num_queries = 0;          // 0: what the weights' config.json says, else 300 (official)
  int64_t num_denoising = 100;      // denoising queries per image, about; 0: off (official: 100)
  bool freeze_backbone = false;     // all backbone weights and norms
  std::optional<bool> freeze_norm;  // backbone batch norms; unset: by size, see freezes_norm()
  bool freeze_stem = false;         // the backbone's stem convolutions (official recipes of l and x set it)
};

struct DataConfig {
  std::string train, val;            // folders that dfine-pack wrote
  ImageSize image_size{640, 640};    // network input; sides divisible by 32 (official: 640)
  int64_t batch_size = 4;            // images per rank and step
  int64_t workers = 4;               // loader threads per rank; 0: the training thread loads
  bool shuffle = true;               // a new order each epoch
  Augment augment = Augment::kFlip;  // see effective_augment()
  int64_t stop_epoch = 0;            // from this epoch on (the first is 0) only flip and rotation are left; 0: never
  bool multiscale = false;           // another input size each step, the same on all ranks
  int64_t multiscale_repeat = 0;     // shares of image_size itself among the sizes; 0: see multiscale_repeat()
  int64_t max_images = 0;            // use the first so many of either pack; 0: all
  OnBad on_bad = OnBad::kError;      // when a training record is damaged
  int64_t max_bad = 100;             // damaged records passed over before the run ends, over all ranks
  int64_t read_ahead = 4;            // batches beyond those being loaded whose files the system is asked for; 0: none
  std::string cache_dir;             // node-local folder that packs are copied to; empty: none
  int64_t preview = 0;               // first training batches to draw into run.dir/preview
};

struct OptimConfig {
  double lr = 1e-4;                   // of all parameters, for the global batch as it is
  double backbone_lr = 0;             // of the backbone; 0: lr
  double weight_decay = 1e-4;         // decoupled (official: 1e-4 n s m, 1.25e-4 l x)
  std::vector<std::string> no_decay;  // parameters without it: regular expressions on roles and names; see train/parameter_groups.h
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double clip_norm = 0.1;      // largest global gradient norm; 0: off (official: 0.1)
  int64_t warmup_steps = 500;  // linear warm-up of lr; 0: none (official: 500)
};

struct TrainConfig {
  int64_t epochs = 50;     // passes over the training images
  int64_t max_steps = 0;   // stop after so many optimizer steps; 0: no limit
  int64_t accumulate = 1;  // batches whose gradients make one step; only 1 so far
};

struct EmaConfig {
  bool enabled = true;          // average the weights; validation and model.safetensors use the average (official: on)
  double decay = 0.9999;        // official
  int64_t warmup_steps = 1000;  // decay * (1 - exp(-step / warmup_steps)); 0: no ramp (official: 1000)
};

struct ValidateConfig {
  int64_t every_epochs = 1;  // and after the last; 0: never
  int64_t batch_size = 0;    // images per rank; 0: data.batch_size
};

struct CheckpointConfig {
  Monitor monitor = Monitor::kValLoss;  // what decides which checkpoint is `best`
  int64_t every_steps = 0;              // write `last` also every so many steps; 0: at the end of each epoch only
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

/// Whether the backbone's batch norms are frozen: what is set, else as the official models of this size (n s m: no, l x: yes).
bool freezes_norm(const ModelConfig& model);

/// The augmentation that data.augment stands for: dfine: the [augment] table; flip: its flip alone; none: nothing. The latter two drop no
/// box.
AugmentConfig effective_augment(const Config& config);

/// data.multiscale_repeat, or the official one of this size (configs/dfine/dfine_hgnetv2_*_coco.yml: s 20, m 6, l 4, x 3; n, which has
/// multi-scale off there, takes s's).
int64_t multiscale_repeat(const Config& config);

/// Compute threads of one rank: run.threads, or the node's cores shared by its ranks less data.workers; at least 1.
int compute_threads(const Config& config, int node_cores, int ranks_on_node);

/// A number over all keys and values, whatever their order in the file; equal exactly if the effective configurations are.
uint64_t config_hash(const Config& config);

/// The keys whose values differ, one line each: "optim.lr: 0.0001 and 0.0002".
std::vector<std::string> config_differences(const Config& first, const Config& second);

}  // namespace dfine
