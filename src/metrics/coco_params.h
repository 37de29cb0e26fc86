#pragma once
// The fixed settings of COCO bounding-box evaluation: Params.setDetParams of pycocotools 2.0.11.
#include <array>
#include <cstddef>
#include <cstdint>

namespace dfine::inline metrics {

inline constexpr size_t kCocoIous = 10;
inline constexpr size_t kCocoRecalls = 101;
inline constexpr size_t kCocoAreas = 4;
inline constexpr size_t kCocoLimits = 3;

enum CocoArea : size_t { kAreaAll, kAreaSmall, kAreaMedium, kAreaLarge };
enum CocoLimit : size_t { kLimit1, kLimit10, kLimit100 };

struct CocoAreaRange {
  double low, high;  // square pixels, both ends belong to it
  bool contains(double area) const { return !(area < low || area > high); }
};

inline constexpr std::array<CocoAreaRange, kCocoAreas> kCocoAreaRanges{
    {{0, 1e10}, {0, 1024}, {1024, 9216}, {9216, 1e10}}};
/// Most detections taken of one image and category, best scores first.
inline constexpr std::array<size_t, kCocoLimits> kCocoDetectionLimits{1, 10, 100};

/// numpy.linspace(first, last, n) to the last bit: multiples of the rounded step, the end set
/// exactly.
template <size_t n>
constexpr std::array<double, n> linspace(double first, double last) {
  std::array<double, n> values{};
  const double step = (last - first) / static_cast<double>(n - 1);
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<double>(i) * step + first;
  values[n - 1] = last;
  return values;
}

/// 0.50, 0.55, ..., 0.95
inline constexpr std::array<double, kCocoIous> kCocoIouThresholds = linspace<kCocoIous>(0.5, 0.95);
/// 0.00, 0.01, ..., 1.00
inline constexpr std::array<double, kCocoRecalls> kCocoRecallThresholds =
    linspace<kCocoRecalls>(0.0, 1.0);

/// One bit an IoU threshold.
using IouBits = uint16_t;
inline constexpr IouBits kAllIous = (1U << kCocoIous) - 1;

}  // namespace dfine::inline metrics
