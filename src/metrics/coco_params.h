#pragma once
// The settings of COCO bounding-box evaluation. The defaults are those of Params.setDetParams in
// pycocotools 2.0.11.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dfine::inline metrics {

inline constexpr size_t kCocoRecalls = 101;
inline constexpr size_t kCocoAreas = 4;

enum CocoArea : size_t { kAreaAll, kAreaSmall, kAreaMedium, kAreaLarge };

struct CocoAreaRange {
  double low, high;  // square pixels, both ends belong to it
  bool contains(double area) const { return !(area < low || area > high); }
};

inline constexpr std::array<CocoAreaRange, kCocoAreas> kCocoAreaRanges{
    {{0, 1e10}, {0, 1024}, {1024, 9216}, {9216, 1e10}}};

/// numpy.linspace(first, last, n)[i] to the last bit: multiples of the rounded step, the end set
/// exactly. n > 1.
constexpr double linspace(double first, double last, size_t n, size_t i) {
  const double step = (last - first) / static_cast<double>(n - 1);
  return i == n - 1 ? last : static_cast<double>(i) * step + first;
}

/// 0.00, 0.01, ..., 1.00
inline constexpr auto kCocoRecallThresholds = [] {
  std::array<double, kCocoRecalls> values{};
  for (size_t i = 0; i < kCocoRecalls; ++i) values[i] = linspace(0, 1, kCocoRecalls, i);
  return values;
}();

/// One bit an IoU threshold.
using IouBits = uint32_t;
inline constexpr size_t kMostCocoIous = 32;

/// What evaluation can be asked for beside COCO's own.
struct CocoParams {
  std::vector<double> ious{0.5,
                           linspace(0.5, 0.95, 10, 1),
                           linspace(0.5, 0.95, 10, 2),
                           linspace(0.5, 0.95, 10, 3),
                           linspace(0.5, 0.95, 10, 4),
                           linspace(0.5, 0.95, 10, 5),
                           linspace(0.5, 0.95, 10, 6),
                           linspace(0.5, 0.95, 10, 7),
                           linspace(0.5, 0.95, 10, 8),
                           0.95};          // [T] above 0, up to 1; at most 32, none twice
  std::vector<size_t> limits{1, 10, 100};  // [M] most detections taken of one image and category,
                                           // best scores first; above 0, ascending
  bool by_category = true;                 // false: all categories count as one (useCats = 0)

  /// Throws Error with what is wrong.
  void check() const;
};

}  // namespace dfine::inline metrics
