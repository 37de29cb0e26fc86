#include "augment/draws.h"

#include <algorithm>
#include <utility>

namespace dfine::inline augment {
namespace {

bool chance(CounterRandom& random, double probability) {
  return random.uniform() < probability;
}

float within(CounterRandom& random, const AugmentConfig::Interval& interval) {
  return static_cast<float>(interval[0] + (interval[1] - interval[0]) * random.uniform());
}

/// Always draws both numbers.
std::optional<float> maybe_within(CounterRandom& random, double probability,
                                  const AugmentConfig::Interval& interval) {
  const bool happens = chance(random, probability);
  const float value = within(random, interval);
  return happens ? std::optional(value) : std::nullopt;
}

std::array<uint8_t, 3> permutation(CounterRandom& random) {
  std::array<uint8_t, 3> channels{0, 1, 2};
  std::swap(channels[2], channels[random.below(3)]);
  std::swap(channels[1], channels[random.below(2)]);
  return channels;
}

/// Intersection over union.
double overlap(const LabelledBox& box, const Window& crop) {
  const auto& [left, top, right, bottom] = box.xyxy;
  const double width = std::min<double>(right, crop.right()) - std::max<double>(left, crop.left);
  const double height = std::min<double>(bottom, crop.bottom()) - std::max<double>(top, crop.top);
  const double common = std::max(width, 0.0) * std::max(height, 0.0);
  return common /
         ((right - left) * (bottom - top) + static_cast<double>(crop.width) * crop.height - common);
}

/// Of the boxes that the crop would keep, the best must overlap it enough.
bool keeps_a_box(const Window& crop, std::span<const LabelledBox> boxes, double least_overlap) {
  return std::any_of(boxes.begin(), boxes.end(), [&](const LabelledBox& box) {
    return has_centre_in(box, crop) && overlap(box, crop) >= least_overlap;
  });
}

/// Some crop of the canvas; empty where its shape is not allowed.
Window draw_crop(const AugmentConfig& config, CounterRandom& random, const Window& canvas) {
  const float width_share = within(random, config.iou_crop_scale),
              height_share = within(random, config.iou_crop_scale);
  const float x = random.uniform(), y = random.uniform();
  const int width = static_cast<int>(static_cast<float>(canvas.width) * width_share);
  const int height = static_cast<int>(static_cast<float>(canvas.height) * height_share);
  if (width == 0 || height == 0) return {};
  const double aspect = static_cast<double>(width) / height;
  if (aspect < config.iou_crop_aspect[0] || aspect > config.iou_crop_aspect[1]) return {};
  return {canvas.left + static_cast<int>(static_cast<float>(canvas.width - width) * x),
          canvas.top + static_cast<int>(static_cast<float>(canvas.height - height) * y), width,
          height};
}

}  // namespace

CounterRandom augment_random(uint64_t seed, const SampleKey& key, AugmentOp op, uint32_t member) {
  const Augmentation& row = kAugmentations.at(static_cast<size_t>(op));  // an op without one throws
  const uint64_t stream = static_cast<uint64_t>(row.op) | uint64_t{member} << 8;
  return {seed, Stream::kAugment, static_cast<uint32_t>(key.epoch) | stream << 32,
          static_cast<uint32_t>(key.position)};
}

ColourDraw draw_colours(const AugmentConfig& config, CounterRandom random) {
  ColourDraw draw;
  Photometric& how = draw.distortion;
  how.brightness = maybe_within(random, config.photometric, config.brightness);
  how.contrast = maybe_within(random, config.photometric, config.contrast);
  how.saturation = maybe_within(random, config.photometric, config.saturation);
  how.hue = maybe_within(random, config.photometric, config.hue);
  how.contrast_first = chance(random, 0.5);
  if (chance(random, config.photometric)) draw.channels = permutation(random);
  return draw;
}

Window draw_zoom_out(const AugmentConfig& config, CounterRandom random, int width, int height) {
  if (!chance(random, config.zoom_out)) return {0, 0, width, height};
  const float side = within(random, config.zoom_out_side);
  const int canvas_width = std::max(width, static_cast<int>(static_cast<float>(width) * side));
  const int canvas_height = std::max(height, static_cast<int>(static_cast<float>(height) * side));
  const int left = static_cast<int>(static_cast<float>(canvas_width - width) * random.uniform());
  const int top = static_cast<int>(static_cast<float>(canvas_height - height) * random.uniform());
  return {-left, -top, canvas_width, canvas_height};
}

std::optional<Window> draw_iou_crop(const AugmentConfig& config, CounterRandom random,
                                    const Window& canvas, std::span<const LabelledBox> boxes) {
  if (!chance(random, config.iou_crop) || boxes.empty()) return std::nullopt;
  while (true) {  // ends: one of the overlaps is at least 1
    const double least_overlap =
        config.iou_crop_overlaps[random.below(config.iou_crop_overlaps.size())];
    if (least_overlap >= 1) return std::nullopt;
    for (int64_t trial = 0; trial < config.iou_crop_trials; ++trial) {
      const Window crop = draw_crop(config, random, canvas);
      if (!crop.empty() && keeps_a_box(crop, boxes, least_overlap)) return crop;
    }
  }
}

int draw_rotation(const AugmentConfig& config, CounterRandom random) {
  return chance(random, config.rotate) ? 1 + static_cast<int>(random.below(3)) : 0;
}

bool draw_flip(const AugmentConfig& config, CounterRandom random) {
  return chance(random, config.flip);
}

std::optional<MosaicDraw> draw_mosaic(const AugmentConfig& config, CounterRandom random,
                                      size_t dataset_size) {
  if (!chance(random, config.mosaic)) return std::nullopt;
  MosaicDraw draw;
  draw.degrees = within(random, {-config.mosaic_rotation, config.mosaic_rotation});
  draw.shift_x = within(random, {-1, 1});
  draw.shift_y = within(random, {-1, 1});
  draw.scale = within(random, config.mosaic_scale);
  for (size_t& partner : draw.partners) partner = random.below(dataset_size);
  return draw;
}

std::optional<MixupDraw> draw_mixup(const AugmentConfig& config, CounterRandom random,
                                    size_t dataset_size) {
  if (!chance(random, config.mixup)) return std::nullopt;
  const float weight = within(random, config.mixup_ratio);
  return MixupDraw{weight, random.below(dataset_size)};
}

}  // namespace dfine::inline augment
