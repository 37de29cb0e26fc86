#pragma once
// The [augment] table of the configuration, whose keys src/config/keys_augment.cpp describes.
// Defaults are the official recipe (github.com/Peterande/D-FINE,
// configs/dfine/include/dataloader.yml, over torchvision's own defaults); what it does not have is
// off. Below it, one row for each augmentation.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace dfine::inline augment {

struct AugmentConfig {
  using Interval = std::array<double, 2>;

  double mosaic = 0;
  int64_t mosaic_tile = 320;
  double mosaic_rotation = 10;
  double mosaic_translation = 0.1;
  Interval mosaic_scale{0.5, 1.5};
  double photometric = 0.5;
  Interval brightness{0.875, 1.125};
  Interval contrast{0.5, 1.5};
  Interval saturation{0.5, 1.5};
  Interval hue{-0.05, 0.05};
  double zoom_out = 0.5;
  Interval zoom_out_side{1, 4};
  int64_t fill = 0;
  double iou_crop = 0.8;
  Interval iou_crop_scale{0.3, 1};
  Interval iou_crop_aspect{0.5, 2};
  std::vector<double> iou_crop_overlaps{0, 0.1, 0.3, 0.5, 0.7, 0.9, 1};
  int64_t iou_crop_trials = 40;
  double rotate = 0;
  double flip = 0.5;
  double min_box_size = 1;
  double mixup = 0;
  Interval mixup_ratio{0.45, 0.55};
};

/// The augmentations: the numbers of their streams of random numbers. The flip's is 0: with all
/// else off, draws are those of a loader that only flips.
enum class AugmentOp : uint32_t {
  kFlip,
  kPhotometric,
  kZoomOut,
  kIouCrop,
  kRotate,
  kMosaic,
  kMixup
};

struct Augmentation {
  AugmentOp op;
  const char* key;  // of its probability, in [augment]
  double AugmentConfig::* probability;
  bool stays = false;  // also from train.stage2_epoch on
  bool joins = false;  // puts the boxes of several images into one: the pre-flight goes through its
                       // draws
};

/// By number.
inline constexpr auto kAugmentations = std::to_array<Augmentation>({
    {.op = AugmentOp::kFlip, .key = "flip", .probability = &AugmentConfig::flip, .stays = true},
    {.op = AugmentOp::kPhotometric,
     .key = "photometric",
     .probability = &AugmentConfig::photometric},
    {.op = AugmentOp::kZoomOut, .key = "zoom_out", .probability = &AugmentConfig::zoom_out},
    {.op = AugmentOp::kIouCrop, .key = "iou_crop", .probability = &AugmentConfig::iou_crop},
    {.op = AugmentOp::kRotate,
     .key = "rotate",
     .probability = &AugmentConfig::rotate,
     .stays = true},
    {.op = AugmentOp::kMosaic,
     .key = "mosaic",
     .probability = &AugmentConfig::mosaic,
     .joins = true},
    {.op = AugmentOp::kMixup, .key = "mixup", .probability = &AugmentConfig::mixup, .joins = true},
});

/// The same with only the augmentations that `keep` names.
template <class Keep>
AugmentConfig only(AugmentConfig config, Keep keep) {
  for (const Augmentation& each : kAugmentations)
    if (!keep(each)) config.*each.probability = 0;
  return config;
}

/// The keys of those that `which` names: "augment.mosaic".
template <class Which>
std::vector<std::string> augmentation_keys(Which which) {
  std::vector<std::string> keys;
  for (const Augmentation& each : kAugmentations)
    if (which(each)) keys.push_back(std::string("augment.") + each.key);
  return keys;
}

/// Whether several images can become one.
inline bool joins_images(const AugmentConfig& config) {
  return std::any_of(kAugmentations.begin(), kAugmentations.end(), [&](const Augmentation& each) {
    return each.joins && config.*each.probability > 0;
  });
}

}  // namespace dfine::inline augment
