#include "train/checks/config_warnings.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "variants/variants.h"

namespace dfine::inline checks {
namespace {

constexpr int64_t kFewSteps = 500;  // fewer optimizer steps than the official warm-up alone has
constexpr double kLargeInitialWeight = 0.1;  // of the initial weights in the final EMA
constexpr double kFarFactor = 4;             // of a learning rate from what the recipe gives
constexpr size_t kNamedClasses = 20;

using Warnings = std::vector<std::string>;

/// Layers frozen at random values: what a size's recipe freezes is meant for published weights.
void about_frozen(const Config& config, Warnings& warnings) {
  const ModelConfig& model = config.model;
  if (!model.weights.empty()) return;
  std::string keys;
  const auto add = [&](const char* key) { keys += str_cat(keys.empty() ? "" : ", ", key); };
  if (model.backbone_weights.empty()) {  // allowed with model.allow_random_frozen
    if (model.freeze_backbone) add("model.freeze_backbone");
    if (model.freeze_stem) add("model.freeze_stem");
    if (freezes_norm(model)) add("model.freeze_norm");
  }
  if (!model.freeze.empty()) add("model.freeze");
  if (keys.empty()) return;
  warnings.push_back(
      str_cat("model.weights is not set, and ", keys,
              " keeps layers at their random values. Give weights to start from, or unset it"));
}

void about_length(const Config& config, const Recipe& recipe, const EpochLayout& layout,
                  Warnings& warnings) {
  if (recipe.total_steps < kFewSteps) {
    warnings.push_back(str_cat("the run has ", counted(recipe.total_steps, "optimizer step"),
                               " in all: fewer than ", kFewSteps,
                               " rarely make a good detector. Raise ",
                               config.train.max_steps == recipe.total_steps
                                   ? str_cat("train.max_steps (", config.train.max_steps, ")")
                                   : str_cat("train.epochs (", config.train.epochs, " of ",
                                             counted(layout.steps_per_epoch, "step"), ")"),
                               " or lower the global batch (", layout.global_batch, ")"));
  }
  if (recipe.lr_schedule.warmup_steps >= recipe.total_steps) {
    warnings.push_back(
        str_cat("the warm-up of ", counted(recipe.lr_schedule.warmup_steps, "step"),
                " is as long as the run of ", recipe.total_steps,
                ": the learning rate stays below ", recipe.lr, ". Set ",
                config.optim.warmup_epochs ? "optim.warmup_epochs = \"auto\" and " : "",
                "optim.warmup_steps = \"auto\""));
  }
  if (recipe.stage2_epoch >= config.train.epochs) {
    warnings.push_back(str_cat("train.stage2_epoch = ", recipe.stage2_epoch,
                               " is not reached in train.epochs = ", config.train.epochs,
                               ": there are no last epochs without strong augmentation. Set "
                               "train.stage2_epoch = \"auto\""));
  }
}

void about_ema(const Config& config, const Recipe& recipe, Warnings& warnings) {
  if (!config.ema.enabled) return;
  const double share =
      ema_initial_weight(recipe.ema_decay, recipe.ema_warmup_steps, recipe.total_steps);
  if (share <= kLargeInitialWeight) return;
  warnings.push_back(
      str_cat("the EMA is too slow for this run: after its ", counted(recipe.total_steps, "step"),
              " ", fixed(100 * share, 0),
              " % of it are still the initial weights, a random class head among them",
              ". Set ema.decay = \"auto\" and ema.warmup_steps = \"auto\""));
}

void about_lr(const Config& config, const Recipe& recipe, const EpochLayout& layout,
              Warnings& warnings) {
  const ModelVariant& official = model_variant(config.model.size);
  const UsualLrs usual = usual_lrs(config.model.size, layout.global_batch);
  if (recipe.lr < usual.least || recipe.lr > usual.most) {
    warnings.push_back(
        str_cat("the learning rate ", recipe.lr, " is far from the recipe for D-FINE-",
                config.model.size, " at a global batch of ", layout.global_batch,
                ". The recipe has ", usual.usual, " (", official.lr, " at ", official.global_batch,
                ", by the square root). Change optim.lr, or optim.base_batch and optim.scale_lr"));
  } else if (config.optim.base_batch && config.optim.scale_lr == LrScaling::kNone &&
             (recipe.batch_ratio > 2 || recipe.batch_ratio < 0.5)) {
    warnings.push_back(str_cat(
        "optim.lr = ", config.optim.lr, " is stated for a global batch of ",
        *config.optim.base_batch, ", this run's is ", layout.global_batch,
        ". Set optim.scale_lr = \"linear\" or \"sqrt\", or another optim.lr and optim.base_batch"));
  }
}

void about_data(const std::vector<std::string>& class_names, const DatasetStats& train,
                const std::optional<DatasetStats>& val, Warnings& warnings) {
  std::string names;
  size_t count = 0;
  for (size_t label = 0; label < class_names.size(); ++label) {
    if (train.boxes_of_class[label] > 0) continue;
    if (++count <= kNamedClasses) names += str_cat(names.empty() ? "" : ", ", class_names[label]);
  }
  if (count > kNamedClasses) names += str_cat(" and ", count - kNamedClasses, " more");
  if (count > 0)
    warnings.push_back(
        str_cat("data.train has no boxes of ",
                count == 1 ? "the class " : str_cat(count, " classes: "), names,
                ". The model cannot learn to find it: add images of it, or pack without "
                "it (dfine-pack --drop-unused-classes)"));
  if (val && val->boxes == 0)
    warnings.emplace_back(
        "data.val has no boxes: AP cannot be computed, and val_loss, of confidences alone, says "
        "which checkpoint is the best. Give images "
        "with boxes");
}

/// Each query finds one object at most.
void about_crowded(const char* key, const DatasetStats& stats, int64_t num_queries,
                   Warnings& warnings) {
  const auto crowded = [&](int64_t boxes) { return boxes > num_queries; };
  const auto count = std::ranges::count_if(stats.boxes_of_image, crowded);
  if (count == 0) return;
  warnings.push_back(str_cat(
      "images of ", key, " hold up to ", stats.most_boxes, " boxes, model.num_queries is ",
      num_queries, ": at least ", stats.most_boxes - num_queries, " of these can never be found (",
      counted(count, "image"), " of ", stats.images, count == 1 ? " has" : " have",
      " more boxes than queries). Raise model.num_queries to ", stats.most_boxes,
      " or more, or cut the images into tiles. COCO AP counts 100 detections per image, whatever "
      "the queries"));
}

}  // namespace

UsualLrs usual_lrs(const std::string& size, int64_t global_batch) {
  const ModelVariant& official = model_variant(size);
  const double ratio =
      static_cast<double>(global_batch) / static_cast<double>(official.global_batch);
  const double linear = official.lr * ratio, root = official.lr * std::sqrt(ratio);
  return {.least = std::min(linear, root) / kFarFactor,
          .usual = root,
          .most = std::max(linear, root) * kFarFactor};
}

std::vector<std::string> config_warnings(const Config& config, const RunPlan& plan,
                                         const DatasetStats& train,
                                         const std::optional<DatasetStats>& val) {
  const Recipe& recipe = plan.recipe;
  const int64_t num_queries = plan.model.spec.num_queries;
  Warnings warnings;
  about_frozen(config, warnings);
  about_length(config, recipe, plan.layout, warnings);
  about_ema(config, recipe, warnings);
  about_lr(config, recipe, plan.layout, warnings);
  about_data(plan.model.class_names, train, val, warnings);
  about_crowded("data.train", train, num_queries, warnings);
  if (val) about_crowded("data.val", *val, num_queries, warnings);
  return warnings;
}

}  // namespace dfine::inline checks
