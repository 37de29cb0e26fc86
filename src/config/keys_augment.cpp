// The keys of [augment].
#include <algorithm>
#include <optional>
#include <vector>

#include "config/kinds.h"

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
Kind<std::vector<double>> overlaps() {
  return {.allowed = "list of numbers >= 0, one of them at least 1",
          .read = [](const ConfigValue& value) {
            const auto given = number_list(value);
            const bool ends = given && std::any_of(given->begin(), given->end(),
                                                   [](double overlap) { return overlap >= 1; });
            return ends && std::all_of(given->begin(), given->end(), kNotNegative.contains)
                       ? given
                       : std::nullopt;
          }};
}

}  // namespace

void keys(Table<AugmentConfig>& v) {
  using C = AugmentConfig;
  v("photometric", &C::photometric, number(kProbability),
    "Probability of each of brightness, contrast, saturation, hue and a permutation of the "
    "channels (official: 0.5).");
  v("brightness", &C::brightness, interval(kFactor), "Factor of all channels.");
  v("contrast", &C::contrast, interval(kFactor), "Factor of the difference from the mean grey.");
  v("saturation", &C::saturation, interval(kFactor),
    "Factor of the difference from the pixel's grey.");
  v("hue", &C::hue, interval(kTurns), "Shift of the hue, in turns of the colour circle.");
  v("zoom_out", &C::zoom_out, number(kProbability),
    "Probability that the image is put on a larger canvas (official: 0.5).");
  v("zoom_out_side", &C::zoom_out_side, interval(kEnlargement),
    "Side of that canvas as a multiple of the image's side.");
  v("fill", &C::fill, whole(0, 255),
    "Value of the pixels outside the image, in all channels (official: 0).");
  v("iou_crop", &C::iou_crop, number(kProbability),
    "Probability of a crop that keeps a box. Boxes whose centre is outside the crop are dropped "
    "(official: 0.8).");
  v("iou_crop_scale", &C::iou_crop_scale, interval(kShare),
    "Each side of the crop as a fraction of the image's side.");
  v("iou_crop_aspect", &C::iou_crop_aspect, interval(kPositive),
    "Width / height of the crop in pixels.");
  v("iou_crop_overlaps", &C::iou_crop_overlaps, overlaps(),
    "One of these is drawn at random: the crop and some box must have at least this "
    "intersection over union. 1 or more: no crop.");
  v("iou_crop_trials", &C::iou_crop_trials, whole(1, 100000),
    "Number of crops that are tried before another overlap is drawn.");
  v("rotate", &C::rotate, number(kProbability),
    "Probability of a rotation by 90, 180 or 270 degrees, each equally likely. Not in the "
    "official recipe.");
  v("flip", &C::flip, number(kProbability), "Probability of the horizontal flip (official: 0.5).");
  v("min_box_size", &C::min_box_size, number(kNotNegative),
    "Boxes whose width or height is below this number of pixels are dropped, after the crop and "
    "again after the resize (official: 1).");
  v("mosaic", &C::mosaic, number(kProbability),
    "Probability that the image becomes one of four in a mosaic, which is neither zoomed out nor "
    "cropped. Not in the official recipe (DEIM: 0.5).");
  v("mosaic_tile", &C::mosaic_tile, whole(16, 4096),
    "Length in pixels to which the shorter side of each of the four is resized (DEIM: 320).");
  v("mosaic_rotation", &C::mosaic_rotation, number(kDegrees),
    "Largest rotation of the mosaic, in degrees (DEIM: 10).");
  v("mosaic_translation", &C::mosaic_translation, number(kProbability),
    "Largest shift of the mosaic, as a fraction of its sides (DEIM: 0.1).");
  v("mosaic_scale", &C::mosaic_scale, interval(kScale), "Scale of the mosaic (DEIM: 0.5 to 1.5).");
  v("mixup", &C::mixup, number(kProbability),
    "Probability that another augmented image is blended in, with its boxes. Not in the official "
    "recipe (DEIM: 0.5).");
  v("mixup_ratio", &C::mixup_ratio, interval(kProbability),
    "Weight of the image itself in the blend (DEIM: 0.45 to 0.55).");
}

}  // namespace dfine::inline config
