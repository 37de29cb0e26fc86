#include "input/detection_dataset.h"

#include "core/error_context.h"
#include "core/text.h"
#include "image/decode.h"
#include "image/resize.h"

namespace dfine::inline input {

DetectionDataset::DetectionDataset(const PackedDataset& dataset, const SampleOptions& options)
    : dataset_(dataset),
      options_(options),
      augmenter_(options.augment ? std::optional<Augmenter>(std::in_place, *options.augment,
                                                            options.seed, options.stage2_epoch)
                                 : std::nullopt) {}

/// The first sound image among candidate(0), ..., candidate(num_images - 1), with its boxes;
/// decoded at least in needed(width, height, boxes).
template <class Candidate, class Needed>
size_t DetectionDataset::read_first_valid(Candidate candidate, size_t num_images, Needed needed,
                                          SampleScratch& memory, AugmentSource& source,
                                          const OnDamage& on_damage) const {
  for (size_t k = 0; k < num_images; ++k) {
    const size_t index = candidate(k);
    try {
      dataset_.read_bytes(index, memory.file);
      source.boxes = dataset_.training_boxes(index);
      const ErrorContext at("decoding ", [&] { return dataset_.describe(index); });
      const ImageInfo info = probe_image(memory.file);
      decode_image(memory.file, source.image, needed(info.width, info.height, source.boxes));
      return index;
    } catch (const Error& e) {
      on_damage(index, e);
    }
  }
  throw Error(
      ErrorCode::kFileDamaged,
      str_cat("all ", num_images, " images of ", dataset_.folder().string(), " are damaged"),
      "pack the dataset again");
}

size_t DetectionDataset::get(const Sample& sample, const SampleOrder& order, SampleScratch& memory,
                             uint8_t* planes, std::vector<LabelledBox>& boxes,
                             const OnDamage& on_damage) const {
  const auto in_order = [&](size_t k) {
    return k == 0 ? sample.index : order.replacement(sample, static_cast<int64_t>(k));
  };
  if (!augmenter_) {
    memory.sources.resize(1);
    const auto whole = [](int width, int height, const auto&) {
      return Window{0, 0, width, height};
    };
    const size_t index =
        read_first_valid(in_order, order.num_images, whole, memory, memory.sources[0], on_damage);
    const auto& [image, source_boxes] = memory.sources[0];
    const int width = static_cast<int>(options_.size.width),
              height = static_cast<int>(options_.size.height);
    resize_antialias_chw(image, width, height, false, planes);
    boxes.clear();
    place_boxes(source_boxes,
                {.window = {0, 0, image.width, image.height}, .width = width, .height = height},
                /*min_size=*/0, boxes);
    return index;
  }

  const AugmentPlan plan = augmenter_->plan({sample.epoch, sample.position}, order.num_images);
  memory.sources.resize(std::max(memory.sources.size(), 1 + plan.partners.size()));
  const auto read_source = [&](size_t source, const auto& candidate) {
    const auto needed = [&](int width, int height, const std::vector<LabelledBox>& with) {
      return augmenter_->needed(plan, source, width, height, with);
    };
    return read_first_valid(candidate, order.num_images, needed, memory, memory.sources[source],
                            on_damage);
  };
  const size_t index = read_source(0, in_order);
  for (size_t i = 0; i < plan.partners.size(); ++i)
    read_source(1 + i, [&](size_t k) { return (plan.partners[i] + k) % order.num_images; });
  augmenter_->apply(plan, std::span(memory.sources).first(1 + plan.partners.size()), options_.size,
                    planes, boxes, memory.scratch);
  return index;
}

}  // namespace dfine::inline input
