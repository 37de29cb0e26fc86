#include "train/plan/resolve.h"

#include <algorithm>
#include <filesystem>

#include "config/load.h"
#include "core/error.h"
#include "core/text.h"
#include "data/shards/cache.h"
#include "input/multiscale.h"
#include "weights/hf_config.h"

namespace dfine::inline plan {
using enum ErrorCode;
namespace {

uint64_t seed(const Config& config) {
  return static_cast<uint64_t>(config.run.seed);
}

/// Each query starts from another position on the feature maps (model/query_selection.h): the
/// run's smallest image needs as many.
void check_queries(const Config& config, const ModelSpec& spec) {
  const ImageSize size = MultiScaleSampler(multiscale_options(config)).smallest();
  int64_t places = 0;
  for (const int64_t stride : spec.strides())
    places += (size.height / stride) * (size.width / stride);
  if (places >= spec.num_queries) return;
  throw Error(kConflictingSettings,
              str_cat("model.num_queries is ", spec.num_queries,
                      ", but the feature maps of an image of ", size.height, "x", size.width,
                      size == config.data.image_size
                          ? " (data.image_size)"
                          : " (the smallest that data.multiscale makes of data.image_size)",
                      " have ", places, " places to start from"),
              str_cat("set model.num_queries = ", places, " or less, or raise data.image_size",
                      size == config.data.image_size ? "" : ", or set data.multiscale = false"));
}

/// Layers that never learn have to come from weights, as in the official recipes of L and X.
void check_frozen(const ModelConfig& model) {
  if (model.allow_random_frozen || !model.backbone_weights.empty()) return;
  std::vector<std::string> frozen;
  if (model.freeze_backbone) frozen.emplace_back("model.freeze_backbone");
  if (model.freeze_stem) frozen.emplace_back("model.freeze_stem");
  if (freezes_norm(model))
    frozen.push_back(str_cat("model.freeze_norm", model.freeze_norm ? "" : " (\"auto\")"));
  if (frozen.empty()) return;
  throw Error(kConflictingSettings,
              str_cat(listed(frozen), frozen.size() == 1 ? " keeps" : " keep",
                      " layers at random values: neither model.weights nor "
                      "model.backbone_weights is set"),
              "give model.weights or model.backbone_weights, or train these layers: set the named "
              "keys to false. To train with random frozen layers all the same, set "
              "model.allow_random_frozen = true");
}

std::optional<at::ScalarType> autocast_type(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return at::kBFloat16;
    case Precision::kFp16:
      return at::kHalf;
    case Precision::kFp32:
      break;
  }
  return {};
}

LoopPlan loop_plan(const Config& config) {
  return {.epochs = config.train.epochs,
          .max_steps = config.train.max_steps,
          .max_minutes = config.train.max_minutes,
          .patience = config.train.patience,
          .max_bad_steps = config.train.max_bad_steps,
          .log_seconds = config.run.log_seconds,
          .tensorboard = config.run.tensorboard,
          .preview = config.data.preview,
          .preflight = config.train.preflight,
          .stage2_from_best = config.train.stage2_from_best,
          .ema_restart = config.ema.restart,
          .ema_restart_decay = config.ema.restart_decay};
}

}  // namespace

PackedDataset open_pack(const std::string& key, const std::string& folder,
                        const std::string& cache_dir) {
  if (folder.empty())
    throw Error(kMissingKey, str_cat(key, " is not set"),
                str_cat("give the folder that dfine-pack wrote: --set ", key, "=FOLDER"));
  const ErrorContext at("opening ", key, " = ", folder);
  return PackedDataset::open(cache_dir.empty() ? std::filesystem::path(folder)
                                               : cached_pack(folder, cache_dir));
}

int64_t usable_images(const Config& config, const PackedDataset& data) {
  const auto size = static_cast<int64_t>(data.size());
  return config.data.max_images > 0 ? std::min(config.data.max_images, size) : size;
}

EpochLayout epoch_layout(const Config& config, int ranks, int64_t num_images) {
  const int64_t accumulate = config.train.gradient_accumulation_steps,
                global_batch = config.data.batch_size * ranks * accumulate;
  if (num_images < global_batch) {
    throw Error(kDatasetTooSmall,
                str_cat("data.train has ", counted(num_images, "image"),
                        ", fewer than the global batch of ", global_batch, " (",
                        counted(ranks, "rank"), " x ", config.data.batch_size,
                        accumulate > 1 ? str_cat(" x ", accumulate) : "", ")"),
                "use fewer ranks, a smaller data.batch_size or a smaller "
                "train.gradient_accumulation_steps");
  }
  return {.steps_per_epoch = num_images / global_batch,
          .global_batch = global_batch,
          .world_size = ranks};
}

ModelOptions model_options(const Config& config, const std::vector<Category>& categories,
                           std::optional<int64_t> resumed_queries) {
  const ModelConfig& wanted = config.model;
  ModelOptions options{
      .spec = model_spec(model_variant(wanted.size).size, static_cast<int64_t>(categories.size())),
      .seed = seed(config),
      .weights = wanted.weights,
      .backbone_weights = wanted.backbone_weights,
      .class_heads = wanted.class_heads,
      .class_names = {},
      .freeze = {.backbone_norms = freezes_norm(wanted),
                 .stem = wanted.freeze_stem,
                 .backbone = wanted.freeze_backbone,
                 .patterns = wanted.freeze}};
  for (const Category& category : categories) options.class_names.push_back(category.name);
  ModelSpec& spec = options.spec;
  if (resumed_queries) {
    spec.num_queries = *resumed_queries;
  } else if (wanted.weights.empty()) {
    check_frozen(wanted);
  } else {
    const ModelDescription found = describe_weights(wanted.weights);
    const std::string size = architecture_size(found.spec);
    if (size != wanted.size) {
      throw Error(
          kWeightsMismatch,
          str_cat("model.weights = ", wanted.weights, " is ",
                  size.empty() ? "of no published size" : "D-FINE-" + size, ", model.size is ",
                  wanted.size),
          size.empty() ? "give weights of this size" : str_cat("set model.size = \"", size, "\""));
    }
    spec.num_queries = found.spec.num_queries;
  }
  spec.num_queries = wanted.num_queries.value_or(spec.num_queries);
  check_queries(config, spec);
  spec.num_denoising = wanted.num_denoising;
  spec.max_denoising_queries = wanted.max_denoising_queries;
  return options;
}

LearnerOptions learner_options(const Config& config, const Recipe& recipe, bool cuda) {
  LearnerOptions options{.optimizer = {.lr = recipe.lr,
                                       .backbone_lr = recipe.backbone_lr,
                                       .weight_decay = config.optim.weight_decay,
                                       .no_decay = config.optim.no_decay,
                                       .beta1 = config.optim.beta1,
                                       .beta2 = config.optim.beta2,
                                       .eps = config.optim.eps},
                         .schedule = recipe.lr_schedule,
                         .clip_norm = config.optim.clip_norm,
                         .ema = {},
                         .step = {.autocast = autocast_type(effective_precision(config.run, cuda)),
                                  .accumulation = config.train.gradient_accumulation,
                                  .compression = config.train.gradient_compression,
                                  .padded = cuda},
                         .late_report = cuda,
                         .seed = seed(config)};
  if (config.ema.enabled)
    options.ema = {.decay = recipe.ema_decay, .warmup_steps = recipe.ema_warmup_steps};
  return options;
}

LoaderOptions loader_options(const Config& config, bool training, bool cuda) {
  return {.sample = {.size = config.data.image_size,
                     .augment = training ? std::optional(effective_augment(config)) : std::nullopt,
                     .seed = seed(config),
                     .stage2_epoch = stage2_epoch(config)},
          .workers = static_cast<int>(config.data.workers),
          .read_ahead = static_cast<int>(config.data.read_ahead),
          .pin_memory = cuda,
          .skip_corrupt = training && config.data.on_corrupt == OnCorrupt::kSkip,
          .max_corrupt = config.data.max_corrupt};
}

MultiScaleOptions multiscale_options(const Config& config) {
  return {.base = config.data.image_size,
          .repeat = config.data.multiscale ? multiscale_repeat(config) : 0,
          .stage2_epoch = stage2_epoch(config),
          .seed = seed(config)};
}

FeedOptions feed_options(const Config& config, int ranks, int64_t num_images, int64_t total_steps,
                         bool cuda) {
  return {.order = {.num_images = num_images,
                    .shuffle = config.data.shuffle,
                    .seed = seed(config),
                    .batch_size = config.data.batch_size,
                    .micro_batches = config.train.gradient_accumulation_steps,
                    .ranks = ranks},
          .loader = loader_options(config, true, cuda),
          .sizes = multiscale_options(config),
          .total_steps = total_steps};
}

ValidationOptions validation_options(const Config& config, bool cuda) {
  return {.loader = loader_options(config, false, cuda),
          .batch_size = config.validate.batch_size.value_or(config.data.batch_size),
          .max_images = config.data.max_images};
}

RunPlan resolve(const Config& config, const std::vector<Category>& categories, int64_t num_images,
                int ranks, bool cuda, std::optional<int64_t> resumed_queries) {
  RunPlan plan;
  plan.config = print_config(config);
  plan.run_dir = config.run.dir;
  plan.model_size = config.model.size;
  plan.layout = epoch_layout(config, ranks, num_images);
  plan.recipe = make_recipe(config, plan.layout);
  plan.model = model_options(config, categories, resumed_queries);
  plan.learner = learner_options(config, plan.recipe, cuda);
  plan.feed = feed_options(config, ranks, num_images, plan.recipe.total_steps, cuda);
  plan.validation = {.every_epochs = config.validate.every_epochs,
                     .weights = config.validate.weights,
                     .monitor = config.checkpoint.monitor,
                     .options = validation_options(config, cuda)};
  plan.loop = loop_plan(config);
  plan.checkpoint = {.every_steps = config.checkpoint.every_steps,
                     .every_minutes = config.checkpoint.every_minutes,
                     .keep = config.checkpoint.keep,
                     .keep_every = config.checkpoint.keep_every,
                     .max_failures = config.checkpoint.max_failures};
  plan.allow_changed = config.run.allow_changed;
  return plan;
}

}  // namespace dfine::inline plan
