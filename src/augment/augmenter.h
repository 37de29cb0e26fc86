#pragma once
// The augmentation of a training image, from decoded pixels and their boxes to the network's input
// and targets:
//
//   mosaic -> photometric distortion -> zoom-out -> IoU crop -> small boxes dropped
//   -> rotation -> flip -> resize -> small boxes dropped -> mixup
//
// Zoom-out, crop, rotation, flip and resize are one window of the image, its orientation, and one
// resampling.
//
//   const Augmenter augmenter(effective_augment(config), seed, stage2_epoch(config));
//   const AugmentPlan plan = augmenter.plan({epoch, position}, dataset.size());
//   sources[0] = decoded sample;  sources[1 + i] = decoded image plan.partners[i] of the dataset;
//   both at least where needed() says
//   augmenter.apply(plan, sources, {640, 640}, planes, boxes, scratch);
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "augment/augment_config.h"
#include "augment/boxes.h"
#include "augment/draws.h"
#include "augment/mosaic.h"
#include "core/image_size.h"
#include "image/image.h"

namespace dfine::inline augment {

/// What is known of a sample's augmentation before any image is.
struct AugmentPlan {
  SampleKey key;
  std::array<std::optional<MosaicDraw>, 2>
      mosaics;  // of the sample, and of the image blended into it
  std::optional<MixupDraw> mixup;
  std::vector<size_t> partners;  // images of the dataset that are needed besides the sample
                                 // itself; none without mosaic and mixup
};

/// Memory to be reused; one for each thread.
struct AugmentScratch {
  Image canvas, rotated;
  AugmentSource mosaic;
  std::vector<LabelledBox> kept;
  std::vector<uint8_t> planes;  // of the image that mixup blends in
};

/// Immutable: any number of threads may use one.
class Augmenter {
 public:
  /// From `stage2_epoch` on (0: never) only the augmentations that stay are left.
  Augmenter(AugmentConfig config, uint64_t seed, int64_t stage2_epoch);

  /// What is on in an epoch.
  const AugmentConfig& config_at(int64_t epoch) const {
    return stage2_epoch_ > 0 && epoch >= stage2_epoch_ ? weak_ : config_;
  }

  AugmentPlan plan(const SampleKey& key, size_t dataset_size) const;

  /// Which pixels of sources[source] apply() will look at, if that is an image of this size with
  /// these boxes: it need not have others. Inside the image, and not empty.
  Window needed(const AugmentPlan& plan, size_t source, int width, int height,
                std::span<const LabelledBox> boxes) const;

  /// Writes the sample as uint8 planes [3, size.height, size.width] and replaces `boxes` by those
  /// that survive, which may be none. `sources` are the sample and plan.partners in order; their
  /// pixels are spoilt.
  void apply(const AugmentPlan& plan, std::span<AugmentSource> sources, ImageSize size,
             uint8_t* planes, std::vector<LabelledBox>& boxes, AugmentScratch& scratch) const;

 private:
  /// What is drawn for an image, or for a mosaic, which is neither zoomed out nor cropped.
  struct View {
    Window window;               // of the image that the sample shows
    std::optional<Window> crop;  // the same, where boxes outside are dropped
    ColourDraw colours;
  };
  View draw_view(const AugmentPlan& plan, uint32_t member, int width, int height,
                 std::span<const LabelledBox> boxes) const;
  void render(const AugmentPlan& plan, uint32_t member, std::span<AugmentSource> sources,
              ImageSize size, uint8_t* planes, std::vector<LabelledBox>& boxes,
              AugmentScratch& scratch) const;

  AugmentConfig config_, weak_;
  uint64_t seed_;
  int64_t stage2_epoch_;
};

}  // namespace dfine::inline augment
