#pragma once
// Curves of bounded size out of any number of steps.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dfine::inline run_report {

/// What is kept of the values of some steps in a row.
struct CurvePoint {
  double sum = 0, least = 0, most = 0;
  int64_t count = 0;  // finite values

  void add(double value);
  void add(const CurvePoint& other);
  double mean() const { return sum / static_cast<double>(count); }
};

/// Several curves over the same steps. Beyond kMostBuckets steps each bucket holds 2, 4, ... steps:
/// their mean, and the least and the greatest value, so that no peak is lost.
class Curves {
 public:
  static constexpr int64_t kMostBuckets = 800;

  /// The values that follow are those of this step, 1 or more.
  void begin_step(int64_t step, double epoch);
  /// Adds a value; one that is not finite is counted, and leaves a gap.
  void add(std::string_view name, double value);

  struct Curve {
    std::vector<CurvePoint> buckets;
    int64_t not_finite = 0;
  };
  const std::map<std::string, Curve, std::less<>>& all() const { return curves_; }
  int64_t steps_per_bucket() const { return width_; }
  size_t buckets() const { return last_step_.size(); }
  /// The last step that bucket b holds, 0: none; and its epoch.
  int64_t last_step(size_t b) const { return last_step_[b]; }
  double epoch(size_t b) const { return epoch_[b]; }
  int64_t steps() const { return steps_; }

 private:
  void merge_pairs();

  std::map<std::string, Curve, std::less<>> curves_;
  std::vector<int64_t> last_step_;
  std::vector<double> epoch_;
  int64_t width_ = 1, steps_ = 0;
  size_t bucket_ = 0;  // of the current step
};

}  // namespace dfine::inline run_report
