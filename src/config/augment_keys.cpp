#include "config/augment_keys.h"

#include <algorithm>

#include "config/key_builders.h"

namespace dfine::inline config {
namespace {

constexpr Range kProbability{"from 0 to 1", [](double x) { return x >= 0 && x <= 1; }};
constexpr Range kTurns{"from -0.5 to 0.5", [](double x) { return x >= -0.5 && x <= 0.5; }};
constexpr Range kShare{"> 0 and <= 1", [](double x) { return x > 0 && x <= 1; }};
// The upper ends are far beyond what is of use, and below what sizes and colours as whole numbers
// can hold.
constexpr Range kFactor{"from 0 to 100", [](double x) { return x >= 0 && x <= 100; }};
constexpr Range kScale{"from 0.01 to 100", [](double x) { return x >= 0.01 && x <= 100; }};
constexpr Range kEnlargement{"from 1 to 100", [](double x) { return x >= 1 && x <= 100; }};
constexpr Range kDegrees{"from 0 to 180", [](double x) { return x >= 0 && x <= 180; }};

/// Without an overlap of at least 1 the search for a crop might never end.
ConfigKey iou_crop_overlaps() {
  const std::string allowed = "list of numbers >= 0, one of them at least 1";
  return {"augment.iou_crop_overlaps",
          allowed,
          "One of these is drawn at random: the crop and some box must have at least this "
          "intersection over union. 1 or more: no crop.",
          false,
          [=](Config& config, const ConfigValue& value) {
            const std::vector<double> overlaps = number_list(value);
            const bool ends = std::any_of(overlaps.begin(), overlaps.end(),
                                          [](double overlap) { return overlap >= 1; });
            if (!ends || !std::all_of(overlaps.begin(), overlaps.end(), kNotNegative.contains))
              refuse(value, allowed);
            config.augment.iou_crop_overlaps = overlaps;
          },
          [](const Config& config) -> ConfigValue { return config.augment.iou_crop_overlaps; }};
}

}  // namespace

std::vector<ConfigKey> augment_keys() {
  using A = AugmentConfig;
  const auto part = &Config::augment;
  return {
      number(
          "augment.photometric", part, &A::photometric, kProbability,
          "Probability of each of brightness, contrast, saturation, hue and a permutation of the "
          "channels (official: 0.5)."),
      interval("augment.brightness", part, &A::brightness, kFactor, "Factor of all channels."),
      interval("augment.contrast", part, &A::contrast, kFactor,
               "Factor of the difference from the "
               "mean grey."),
      interval("augment.saturation", part, &A::saturation, kFactor,
               "Factor of the difference from "
               "the pixel's grey."),
      interval("augment.hue", part, &A::hue, kTurns,
               "Shift of the hue, in turns of the colour "
               "circle."),
      number("augment.zoom_out", part, &A::zoom_out, kProbability,
             "Probability that the image is "
             "put on a larger canvas "
             "(official: 0.5)."),
      interval("augment.zoom_out_side", part, &A::zoom_out_side, kEnlargement,
               "Side of that canvas "
               "as a multiple of "
               "the image's side."),
      integer("augment.fill", part, &A::fill, 0, 255,
              "Value of the pixels outside the image, in "
              "all channels (official: 0)."),
      number("augment.iou_crop", part, &A::iou_crop, kProbability,
             "Probability of a crop that keeps a box. Boxes whose centre is outside the crop are "
             "dropped (official: 0.8)."),
      interval("augment.iou_crop_scale", part, &A::iou_crop_scale, kShare,
               "Each side of the crop "
               "as a fraction of the "
               "image's side."),
      interval("augment.iou_crop_aspect", part, &A::iou_crop_aspect, kPositive,
               "Width / height of "
               "the crop in "
               "pixels."),
      iou_crop_overlaps(),
      integer("augment.iou_crop_trials", part, &A::iou_crop_trials, 1, 100000,
              "Number of crops "
              "that are tried "
              "before another "
              "overlap is drawn."),
      number("augment.rotate", part, &A::rotate, kProbability,
             "Probability of a rotation by 90, 180 or 270 degrees, each equally likely. Not in the "
             "official recipe."),
      number("augment.flip", part, &A::flip, kProbability,
             "Probability of the horizontal flip "
             "(official: 0.5)."),
      number("augment.min_box_size", part, &A::min_box_size, kNotNegative,
             "Boxes whose width or height is below this number of pixels are dropped, after the "
             "crop and again after the resize (official: 1)."),
      number("augment.mosaic", part, &A::mosaic, kProbability,
             "Probability that the image becomes one of four in a mosaic, which is neither zoomed "
             "out nor cropped. Not in the official recipe (DEIM: 0.5)."),
      integer("augment.mosaic_tile", part, &A::mosaic_tile, 16, 4096,
              "Length in pixels to which "
              "the shorter side of each of "
              "the four is resized (DEIM: "
              "320)."),
      number("augment.mosaic_rotation", part, &A::mosaic_rotation, kDegrees,
             "Largest rotation of "
             "the mosaic, in "
             "degrees (DEIM: 10)."),
      number("augment.mosaic_translation", part, &A::mosaic_translation, kProbability,
             "Largest shift of the mosaic, as a fraction of its sides (DEIM: 0.1)."),
      interval("augment.mosaic_scale", part, &A::mosaic_scale, kScale,
               "Scale of the mosaic (DEIM: "
               "0.5 to 1.5)."),
      number("augment.mixup", part, &A::mixup, kProbability,
             "Probability that another augmented image is blended in, with its boxes. Not in the "
             "official recipe (DEIM: 0.5)."),
      interval("augment.mixup_ratio", part, &A::mixup_ratio, kProbability,
               "Weight of the image "
               "itself in the blend "
               "(DEIM: 0.45 to 0.55)."),
  };
}

}  // namespace dfine::inline config
