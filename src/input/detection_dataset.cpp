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

void DetectionDataset::read(size_t index, std::vector<uint8_t>& file, Image& image) const {
  dataset_.read_bytes(index, file);
  const ErrorContext at("decoding ", [&] { return dataset_.describe(index); });
  decode_image(file, image);
}

/// The first sound image among candidate(0), ..., candidate(num_images - 1).
template <class Candidate>
size_t DetectionDataset::read_first_valid(Candidate candidate, size_t num_images,
                                          SampleScratch& memory, AugmentSource& source,
                                          const OnDamage& on_damage) const {
  for (size_t k = 0; k < num_images; ++k) {
    const size_t index = candidate(k);
    try {
      read(index, memory.file, source.image);
    } catch (const Error& e) {
      on_damage(index, e);
      continue;
    }
    source.boxes = dataset_.training_boxes(index);
    return index;
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
    const size_t index =
        read_first_valid(in_order, order.num_images, memory, memory.sources[0], on_damage);
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
  const size_t index =
      read_first_valid(in_order, order.num_images, memory, memory.sources[0], on_damage);
  for (size_t i = 0; i < plan.partners.size(); ++i) {
    const auto next = [&](size_t k) { return (plan.partners[i] + k) % order.num_images; };
    read_first_valid(next, order.num_images, memory, memory.sources[1 + i], on_damage);
  }
  augmenter_->apply(plan, std::span(memory.sources).first(1 + plan.partners.size()), options_.size,
                    planes, boxes, memory.scratch);
  return index;
}

}  // namespace dfine::inline input
