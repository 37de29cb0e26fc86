#include "analysis/bootstrap.h"

#include <algorithm>
#include <utility>

#include "core/random.h"

namespace dfine::inline analysis {
namespace {

/// Of one class or of all: what a resample goes over.
class ResampledCurve {
 public:
  /// `box_images`: of each box that counts.
  ResampledCurve(std::span<const ScoredOutcome> outcomes, std::vector<uint32_t> box_images) {
    std::sort(box_images.begin(), box_images.end());
    for (size_t i = 0; i < box_images.size(); ++i) {
      if (i == 0 || box_images[i] != box_images[i - 1]) boxes_.push_back({box_images[i], 0});
      ++boxes_.back().second;
    }
    // F1 can only be best at a score that a true positive has.
    uint32_t place = 0;
    bool has_true = false;
    for (size_t i = 0; i < outcomes.size(); ++i) {
      items_.push_back({.image = outcomes[i].image, .is_true = outcomes[i].is_true ? 1U : 0U});
      has_true |= outcomes[i].is_true;
      if (i + 1 < outcomes.size() && outcomes[i + 1].score == outcomes[i].score) continue;
      if (has_true) stops_.push_back({.end = items_.size(), .place = place});
      has_true = false;
      ++place;
    }
  }

  /// Place of the best score if image i counts `weights[i]` times; kNoIndex without a true
  /// positive.
  uint32_t best_place(const std::vector<uint32_t>& weights) const {
    int64_t positives = 0;
    for (const auto& [image, boxes] : boxes_) positives += int64_t{weights[image]} * boxes;
    uint32_t best = kNoIndex;
    int64_t best_true = 0, best_whole = 1, true_positives = 0, detections = 0;
    size_t i = 0;
    for (const Stop& stop : stops_) {
      for (; i < stop.end; ++i) {
        const uint32_t weight = weights[items_[i].image];
        detections += weight;
        if (items_[i].is_true != 0) true_positives += weight;
      }
      const int64_t whole = detections + positives;
      if (true_positives * best_whole > best_true * whole) {
        best = stop.place;
        best_true = true_positives;
        best_whole = whole;
      }
      // Even if every box were found from here on, F1 would not be higher.
      if (positives * best_whole <= best_true * whole) break;
    }
    return best;
  }

 private:
  struct Item {
    uint32_t image : 31, is_true : 1;
  };
  struct Stop {
    size_t end;      // into items_
    uint32_t place;  // into the curve's scores
  };
  std::vector<std::pair<uint32_t, uint32_t>> boxes_;  // image, number of boxes
  std::vector<Item> items_;                           // by descending score
  std::vector<Stop> stops_;
};

std::vector<uint32_t> draw_weights(uint32_t images, uint64_t seed, size_t resample) {
  CounterRandom random(seed, Stream::kBootstrap, resample);
  std::vector<uint32_t> weights(images, 0);
  for (uint32_t i = 0; i < images; ++i) ++weights[random.below(images)];
  return weights;
}

/// `places`: of each resample; higher places are lower scores.
std::optional<Interval> interval_of(std::vector<uint32_t> places, const ThresholdCurve& curve) {
  std::erase(places, kNoIndex);
  if (places.empty()) return std::nullopt;
  std::sort(places.begin(), places.end(), std::greater<>());
  const size_t n = places.size();
  // ceil(n / 40) and ceil(39 n / 40), counted from 1.
  return Interval{.low = threshold_at(curve, places[(n + 39) / 40 - 1]),
                  .high = threshold_at(curve, places[(39 * n + 39) / 40 - 1]),
                  .resamples = static_cast<int>(n)};
}

}  // namespace

BootstrapIntervals bootstrap_intervals(const Inputs& in, const Matches& matches,
                                       const ScoredOutcomes& outcomes,
                                       const ThresholdCurves& curves,
                                       const BootstrapOptions& options, ThreadPool& pool) {
  std::vector<std::vector<uint32_t>> box_images(in.classes() + 1);  // the last: of all classes
  for (size_t i = 0; i < matches.box_counts.size(); ++i) {
    if (matches.box_counts[i] == 0) continue;
    box_images[in.box_class[i]].push_back(in.box_image[i]);
    box_images.back().push_back(in.box_image[i]);
  }
  std::vector<ResampledCurve> resampled;
  for (size_t k = 0; k < in.classes(); ++k)
    resampled.emplace_back(outcomes.classes[k], std::move(box_images[k]));
  resampled.emplace_back(outcomes.pooled, std::move(box_images.back()));

  const auto resamples = static_cast<size_t>(std::max(0, options.resamples));
  std::vector<std::vector<uint32_t>> places(resampled.size(), std::vector<uint32_t>(resamples));
  constexpr size_t kResamplesAtOnce = 8;
  parallel_ranges(pool, resamples, kResamplesAtOnce, [&](size_t first, size_t last) {
    for (size_t r = first; r < last; ++r) {
      const auto weights = draw_weights(in.images, options.seed, r);
      for (size_t k = 0; k < resampled.size(); ++k) places[k][r] = resampled[k].best_place(weights);
    }
  });

  BootstrapIntervals out;
  for (size_t k = 0; k < in.classes(); ++k)
    out.classes.push_back(interval_of(std::move(places[k]), curves.classes[k]));
  out.pooled = interval_of(std::move(places.back()), curves.pooled);
  return out;
}

}  // namespace dfine::inline analysis
