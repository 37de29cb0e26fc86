#pragma once
// The [augment] table: what happens to a training image, in this order. Defaults are the official
// recipe (github.com/Peterande/D-FINE, configs/dfine/include/dataloader.yml, over torchvision's own
// defaults); what it does not have is off. Below it, one row for each augmentation.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace dfine::inline augment {

struct AugmentConfig {
  using Interval = std::array<double, 2>;

  double mosaic = 0;                  // probability (DEIM: 0.5)
  int64_t mosaic_tile = 320;          // shorter side of each of the four, pixels (DEIM)
  double mosaic_rotation = 10;        // degrees, either way (DEIM)
  double mosaic_translation = 0.1;    // of the mosaic's sides, either way (DEIM)
  Interval mosaic_scale{0.5, 1.5};    // (DEIM)
  double photometric = 0.5;           // probability of each of the five distortions
  Interval brightness{0.875, 1.125};  // factor
  Interval contrast{0.5, 1.5};        // factor
  Interval saturation{0.5, 1.5};      // factor
  Interval hue{-0.05, 0.05};          // turns of the colour circle
  double zoom_out = 0.5;              // probability
  Interval zoom_out_side{1, 4};       // sides of the canvas in sides of the image
  int64_t fill = 0;                   // value of the pixels outside the image
  double iou_crop = 0.8;              // probability
  Interval iou_crop_scale{0.3, 1};    // each side of the crop in sides of the image
  Interval iou_crop_aspect{0.5, 2};   // width / height of the crop
  std::vector<double> iou_crop_overlaps{0,   0.1, 0.3, 0.5,
                                        0.7, 0.9, 1};  // least IoU of crop and some box; 1: no crop
  int64_t iou_crop_trials = 40;  // crops tried before another overlap is drawn
  double rotate = 0;             // probability of a rotation by 90, 180 or 270 degrees
  double flip = 0.5;             // probability of the horizontal flip
  double min_box_size =
      1;             // boxes narrower or lower are dropped, before and after the resize; pixels
  double mixup = 0;  // probability (DEIM: 0.5)
  Interval mixup_ratio{0.45, 0.55};  // weight of the sample itself (DEIM)
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
  double AugmentConfig::* probability;
  bool stays;  // also from train.stage2_epoch on
  bool joins;  // puts the boxes of several images into one: the pre-flight goes through its draws
};

/// By number.
inline constexpr std::array kAugmentations{
    Augmentation{AugmentOp::kFlip, &AugmentConfig::flip, true, false},
    Augmentation{AugmentOp::kPhotometric, &AugmentConfig::photometric, false, false},
    Augmentation{AugmentOp::kZoomOut, &AugmentConfig::zoom_out, false, false},
    Augmentation{AugmentOp::kIouCrop, &AugmentConfig::iou_crop, false, false},
    Augmentation{AugmentOp::kRotate, &AugmentConfig::rotate, true, false},
    Augmentation{AugmentOp::kMosaic, &AugmentConfig::mosaic, false, true},
    Augmentation{AugmentOp::kMixup, &AugmentConfig::mixup, false, true},
};

/// The same with only the augmentations that `keep` names.
template <class Keep>
AugmentConfig only(AugmentConfig config, Keep keep) {
  for (const Augmentation& each : kAugmentations)
    if (!keep(each)) config.*each.probability = 0;
  return config;
}

/// Whether several images can become one.
inline bool joins_images(const AugmentConfig& config) {
  return std::any_of(kAugmentations.begin(), kAugmentations.end(), [&](const Augmentation& each) {
    return each.joins && config.*each.probability > 0;
  });
}

}  // namespace dfine::inline augment
