#include "input/multiscale.h"

#include <algorithm>

#include "core/random.h"

namespace dfine::inline input {
namespace {

constexpr int64_t kStride = 32;  // of the coarsest feature map

bool fewer_pixels(ImageSize a, ImageSize b) {
  return a.height * a.width < b.height * b.width;
}

}  // namespace

std::vector<ImageSize> generate_scales(ImageSize base, int64_t repeat) {
  const int64_t side = std::max(base.height, base.width);
  const int64_t least = side * 3 / 4 / kStride * kStride, most = side * 5 / 4 / kStride * kStride;
  const auto with_ratio = [&](int64_t new_side) {
    const auto scaled = [&](int64_t old) {
      return old == side ? new_side
                         : std::max(kStride, (2 * old * new_side / side + kStride) / (2 * kStride) *
                                                 kStride);
    };
    return ImageSize{scaled(base.height), scaled(base.width)};
  };
  std::vector<ImageSize> sizes;
  const int64_t steps = (side - least) / kStride;
  for (int64_t i = 0; i < steps; ++i) sizes.push_back(with_ratio(least + i * kStride));
  sizes.insert(sizes.end(), static_cast<size_t>(repeat), base);
  for (int64_t i = 0; i < steps; ++i) sizes.push_back(with_ratio(most - i * kStride));
  return sizes;
}

MultiScaleSampler::MultiScaleSampler(const MultiScaleOptions& options) : options_(options) {
  if (options.repeat > 0) sizes_ = generate_scales(options.base, options.repeat);
}

ImageSize MultiScaleSampler::at(int64_t epoch, int64_t step) const {
  if (sizes_.empty() || (options_.stage2_epoch > 0 && epoch >= options_.stage2_epoch))
    return options_.base;
  return sizes_[CounterRandom(options_.seed, Stream::kMultiscale, static_cast<uint64_t>(step))
                    .below(sizes_.size())];
}

ImageSize MultiScaleSampler::largest() const {
  return sizes_.empty() ? options_.base : *std::ranges::max_element(sizes_, fewer_pixels);
}

ImageSize MultiScaleSampler::smallest() const {
  return sizes_.empty() ? options_.base : *std::ranges::min_element(sizes_, fewer_pixels);
}

}  // namespace dfine::inline input
