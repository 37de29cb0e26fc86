#pragma once
// Training at changing sizes. The size of a step depends on the seed and the step alone, so all
// ranks take the same one.
#include <cstdint>
#include <vector>

#include "core/image_size.h"

namespace dfine::inline input {

/// The sizes a step draws from, all divisible by 32. The larger side is 0.75 to 1.25 times that of
/// `base`, and `base` itself is among them `repeat` times. The other side keeps the ratio, to the
/// nearest multiple of 32. For 640x640: {480, 512, ..., 608}, 640 x repeat, {800, 768, ..., 672}
/// (official: generate_scales in src/data/dataloader.py, which knows squares alone).
std::vector<ImageSize> generate_scales(ImageSize base, int64_t repeat);

struct MultiScaleOptions {
  ImageSize base{640, 640};
  int64_t repeat = 0;        // see generate_scales(); 0: `base` alone
  int64_t stage2_epoch = 0;  // `base` alone from then on; 0: never
  uint64_t seed = 0;
};

/// The size of each step.
class MultiScaleSampler {
 public:
  explicit MultiScaleSampler(const MultiScaleOptions& options);

  /// Of step `step` (from 0) in `epoch`: drawn from the sizes with equal chances by (seed, step).
  ImageSize at(int64_t epoch, int64_t step) const;

  /// The ones with the most and the fewest pixels of all that are drawn.
  ImageSize largest() const;
  ImageSize smallest() const;

 private:
  MultiScaleOptions options_;
  std::vector<ImageSize> sizes_;  // empty without multi-scale
};

}  // namespace dfine::inline input
