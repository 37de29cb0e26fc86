#pragma once
// The random parameters of the augmentation. Each op draws in a fixed order from a separate stream,
// keyed by (seed, epoch, position, op, member). So switching an op off or changing its range moves
// no other op's draws. The distributions are those of torchvision's v2 transforms.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "augment/augment_config.h"
#include "augment/boxes.h"
#include "core/random.h"
#include "image/photometric.h"
#include "image/window.h"

namespace dfine::inline augment {

/// A sample of an epoch; with the seed it decides every draw.
struct SampleKey {
  int64_t epoch = 0;     // from 0
  int64_t position = 0;  // in the epoch's global order
};

/// `member`: 0 for the sample itself, 1 for the image that mixup blends into it.
CounterRandom augment_random(uint64_t seed, const SampleKey& key, AugmentOp op,
                             uint32_t member = 0);

struct ColourDraw {
  Photometric distortion;
  std::array<uint8_t, 3> channels{0, 1, 2};  // channel c of the result is channel channels[c]
};
ColourDraw draw_colours(const AugmentConfig& config, CounterRandom random);

/// The canvas around a width x height image, in the image's coordinates; the image itself where
/// there is no zoom-out.
Window draw_zoom_out(const AugmentConfig& config, CounterRandom random, int width, int height);

/// A crop of the canvas; boxes and crop are in the same coordinates. None where the image is left
/// as it is: by chance, by the overlap drawn, or because there are no boxes.
std::optional<Window> draw_iou_crop(const AugmentConfig& config, CounterRandom random,
                                    const Window& canvas, std::span<const LabelledBox> boxes);

/// Quarter turns counter-clockwise: 0, or 1, 2, 3 alike.
int draw_rotation(const AugmentConfig& config, CounterRandom random);

bool draw_flip(const AugmentConfig& config, CounterRandom random);

/// How four images become one: turned about the mosaic's centre, scaled, shifted by whole pixels.
struct MosaicDraw {
  double degrees = 0, scale = 1;
  double shift_x = 0, shift_y = 0;   // in [-1, 1] times the largest shift
  std::array<size_t, 3> partners{};  // images of the dataset, possibly equal
};
std::optional<MosaicDraw> draw_mosaic(const AugmentConfig& config, CounterRandom random,
                                      size_t dataset_size);

struct MixupDraw {
  double weight = 1;   // of the sample itself
  size_t partner = 0;  // image of the dataset
};
std::optional<MixupDraw> draw_mixup(const AugmentConfig& config, CounterRandom random,
                                    size_t dataset_size);

}  // namespace dfine::inline augment
