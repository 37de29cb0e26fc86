#pragma once
// Training at changing sizes. The size of a step depends on the seed and the step alone, so all
// ranks take the same one.
#include <cstdint>
#include <vector>

#include "config/config.h"
#include "core/image_size.h"

namespace dfine::inline input {

/// The sizes a step draws from, all divisible by 32: from 0.75 to 1.25 times the larger side of
/// `base`, `repeat` times `base` itself among them; the other side keeps the ratio, to the nearest
/// multiple of 32. For 640x640: {480, 512, ..., 608}, 640 x repeat, {800, 768,
/// ..., 672} (official: generate_scales in src/data/dataloader.py, which knows squares alone).
std::vector<ImageSize> generate_scales(ImageSize base, int64_t repeat);

/// The size of each step under data.image_size, data.multiscale, data.multiscale_repeat and
/// train.stage2_epoch.
class MultiScaleSampler {
 public:
  explicit MultiScaleSampler(const Config& config);

  /// Of step `step` (from 0) in `epoch`: drawn from the sizes with equal chances by (run.seed,
  /// step).
  ImageSize at(int64_t epoch, int64_t step) const;

  /// The ones with the most and the fewest pixels of all that are drawn.
  ImageSize largest() const;
  ImageSize smallest() const;

 private:
  ImageSize base_;
  std::vector<ImageSize> sizes_;  // empty without multi-scale
  int64_t stage2_epoch_;
  uint64_t seed_;
};

}  // namespace dfine::inline input
