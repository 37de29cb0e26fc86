#include "augment/augmenter.h"

#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "image/blend.h"
#include "image/photometric.h"
#include "image/resize.h"
#include "image/rotate.h"

namespace dfine::inline augment {
namespace {

/// The window where it lies after `part` of its image was cut out and turned.
Window turned(const Window& window, Window part, int quarter_turns) {
  Window in_part{window.left - part.left, window.top - part.top, window.width, window.height};
  for (int i = 0; i < quarter_turns; ++i) {
    in_part = {in_part.top, part.width - in_part.right(), in_part.height, in_part.width};
    std::swap(part.width, part.height);
  }
  return in_part;
}

}  // namespace

Augmenter::Augmenter(AugmentConfig config, uint64_t seed, int64_t stage2_epoch)
    : config_(std::move(config)),
      weak_(only(config_, [](const Augmentation& each) { return each.stays; })),
      seed_(seed),
      stage2_epoch_(stage2_epoch) {}

AugmentPlan Augmenter::plan(const SampleKey& key, size_t dataset_size) const {
  const AugmentConfig& config = config_at(key.epoch);
  AugmentPlan plan;
  plan.key = key;
  const auto add_mosaic = [&](uint32_t member) {
    plan.mosaics[member] =
        draw_mosaic(config, augment_random(seed_, key, AugmentOp::kMosaic, member), dataset_size);
    if (plan.mosaics[member])
      plan.partners.insert(plan.partners.end(), plan.mosaics[member]->partners.begin(),
                           plan.mosaics[member]->partners.end());
  };
  add_mosaic(0);
  plan.mixup = draw_mixup(config, augment_random(seed_, key, AugmentOp::kMixup), dataset_size);
  if (!plan.mixup) return plan;
  plan.partners.push_back(plan.mixup->partner);
  add_mosaic(1);
  return plan;
}

Window Augmenter::needed(const AugmentPlan& plan, size_t source, int width, int height,
                         std::span<const LabelledBox> boxes) const {
  const Window whole{0, 0, width, height};
  const uint32_t member = source >= (plan.mosaics[0] ? 4U : 1U) ? 1 : 0;
  if (plan.mosaics[member]) return whole;
  const View view = draw_view(plan, member, width, height, boxes);
  if (view.colours.distortion.contrast) return whole;  // moves away from the mean of all pixels
  const Window seen = intersection(view.window, whole);
  return seen.empty() ? whole : seen;
}

Augmenter::View Augmenter::draw_view(const AugmentPlan& plan, uint32_t member, int width,
                                     int height, std::span<const LabelledBox> boxes) const {
  const AugmentConfig& config = config_at(plan.key.epoch);
  const auto random = [&](AugmentOp op) { return augment_random(seed_, plan.key, op, member); };
  View view{.window = {0, 0, width, height}, .crop = {}, .colours = {}};
  view.colours = draw_colours(config, random(AugmentOp::kPhotometric));
  if (plan.mosaics[member]) return view;
  view.window = draw_zoom_out(config, random(AugmentOp::kZoomOut), width, height);
  view.crop = draw_iou_crop(config, random(AugmentOp::kIouCrop), view.window, boxes);
  if (view.crop) view.window = *view.crop;
  return view;
}

void Augmenter::apply(const AugmentPlan& plan, std::span<AugmentSource> sources, ImageSize size,
                      uint8_t* planes, std::vector<LabelledBox>& boxes,
                      AugmentScratch& scratch) const {
  if (sources.size() != 1 + plan.partners.size()) {
    throw Error(ErrorCode::kInternal,
                str_cat("a sample whose augmentation needs ", 1 + plan.partners.size(),
                        " images was given ", sources.size()));
  }
  boxes.clear();
  render(plan, 0, sources, size, planes, boxes, scratch);
  if (!plan.mixup) return;
  const size_t bytes = static_cast<size_t>(size.height) * static_cast<size_t>(size.width) * 3;
  scratch.planes.resize(bytes);
  render(plan, 1, sources.subspan(plan.mosaics[0] ? 4 : 1), size, scratch.planes.data(), boxes,
         scratch);
  blend(planes, scratch.planes.data(), bytes, plan.mixup->weight);
}

void Augmenter::render(const AugmentPlan& plan, uint32_t member, std::span<AugmentSource> sources,
                       ImageSize size, uint8_t* planes, std::vector<LabelledBox>& boxes,
                       AugmentScratch& scratch) const {
  const AugmentConfig& config = config_at(plan.key.epoch);
  const auto random = [&](AugmentOp op) { return augment_random(seed_, plan.key, op, member); };
  const auto& mosaic = plan.mosaics[member];
  if (mosaic) compose_mosaic(sources.first(4), *mosaic, config, scratch.canvas, scratch.mosaic);
  AugmentSource& source = mosaic ? scratch.mosaic : sources[0];
  Image& image = source.image;

  const auto [window, crop, colours] =
      draw_view(plan, member, image.width, image.height, source.boxes);
  scratch.kept.clear();
  for (const LabelledBox& box : source.boxes) {
    if (!crop || has_centre_in(box, *crop)) scratch.kept.push_back(box);
  }

  const Window seen = intersection(window, {0, 0, image.width, image.height});
  distort_colours(image, colours.distortion, seen);

  const Placement placement{window, draw_rotation(config, random(AugmentOp::kRotate)),
                            draw_flip(config, random(AugmentOp::kFlip)),
                            static_cast<int>(size.width), static_cast<int>(size.height)};
  place_boxes(scratch.kept, placement, config.min_box_size, boxes);

  const bool turns = placement.quarter_turns != 0 && !seen.empty();
  if (turns) rotate_quarters(image, seen, placement.quarter_turns, scratch.rotated);
  resize_window_chw(turns ? scratch.rotated : image,
                    {.window = turns ? turned(window, seen, placement.quarter_turns) : window,
                     .width = placement.width,
                     .height = placement.height,
                     .flip = placement.flip,
                     .channels = colours.channels,
                     .fill = static_cast<uint8_t>(config.fill)},
                    planes);
}

}  // namespace dfine::inline augment
