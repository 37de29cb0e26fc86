#pragma once
// From a record of a pack to the pixels and boxes that a network sees.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "augment/augmenter.h"
#include "core/error.h"
#include "core/image_size.h"
#include "data/shards/dataset.h"
#include "input/sample_order.h"

namespace dfine::inline input {

struct SampleOptions {
  ImageSize size{640, 640};  // every image is resized to this, aspect ratio not kept (official)
  std::optional<AugmentConfig>
      augment{};  // unset: nothing else is done to the image, and boxes are as packed
  uint64_t seed = 0;
  int64_t stage2_epoch = 0;  // see Augmenter
};

/// Memory of one thread, used again for each sample.
struct SampleScratch {
  std::vector<uint8_t> file;
  std::vector<AugmentSource> sources;
  AugmentScratch scratch;
};

/// Immutable: any number of threads may use one.
class DetectionDataset {
 public:
  /// `dataset` must outlive this.
  DetectionDataset(const PackedDataset& dataset, const SampleOptions& options);

  const ImageSize& size() const { return options_.size; }

  /// Called with an image whose bytes are damaged, and the Error that says so. It throws (`throw;`
  /// for that Error), or another image is taken. For a sample that is SampleOrder::replacement(),
  /// with the sample's own random numbers. For image i, which mosaic or mixup wants, it is i + 1, i
  /// + 2, ... The choice depends on nothing but which records are damaged.
  using OnDamage = std::function<void(size_t image, const Error& error)>;

  /// Reads, checks, decodes and augments a sample of the order. `planes`: uint8 [3, height, width].
  /// `boxes`: its targets, which may be none. Returns the image that was taken.
  size_t get(const Sample& sample, const SampleOrder& order, SampleScratch& memory, uint8_t* planes,
             std::vector<LabelledBox>& boxes, const OnDamage& on_damage) const;

 private:
  template <class Candidate, class Needed>
  size_t read_first_valid(Candidate candidate, size_t num_images, Needed needed,
                          SampleScratch& memory, AugmentSource& source,
                          const OnDamage& on_damage) const;

  const PackedDataset& dataset_;
  const SampleOptions options_;
  const std::optional<Augmenter> augmenter_;
};

}  // namespace dfine::inline input
