#include "config/config.h"

#include <algorithm>
#include <cmath>

#include "config/keys.h"
#include "core/text.h"
#include "variants/variants.h"

namespace dfine::inline config {

bool freezes_norm(const ModelConfig& model) {
  if (model.freeze_backbone) return true;
  return model.freeze_norm.value_or(model_variant(model.size).freeze_norm);
}

AugmentConfig effective_augment(const Config& config) {
  const Augment kept = config.data.augment;
  if (kept == Augment::kDfine) return config.augment;
  AugmentConfig augment = only(config.augment, [&](const Augmentation& each) {
    return kept == Augment::kFlip && each.op == AugmentOp::kFlip;
  });
  augment.min_box_size = 0;
  return augment;
}

int64_t multiscale_repeat(const Config& config) {
  return config.data.multiscale_repeat.value_or(model_variant(config.model.size).multiscale_repeat);
}

int64_t stage2_epoch(const Config& config) {
  const double given =
      config.train.stage2_epoch.value_or(model_variant(config.model.size).stage2_share);
  if (given == 0 || given >= 1) return static_cast<int64_t>(given);
  const int64_t epochs = config.train.epochs;
  if (epochs < 2) return 0;
  const double share = std::floor(given * static_cast<double>(epochs) + 0.5);
  return std::clamp<int64_t>(static_cast<int64_t>(share), 1, epochs - 1);
}

Precision effective_precision(const RunConfig& run, bool cuda) {
  return run.precision.value_or(cuda ? Precision::kBf16 : Precision::kFp32);
}

int compute_threads(const RunConfig& run, int cores, int ranks) {
  if (run.threads) return static_cast<int>(*run.threads);
  return std::max(1, cores / std::max(1, ranks));
}

}  // namespace dfine::inline config
