#include "run_report/curves.h"

#include <algorithm>
#include <cmath>

namespace dfine::inline run_report {

void CurvePoint::add(double value) {
  least = count == 0 ? value : std::min(least, value);
  most = count == 0 ? value : std::max(most, value);
  sum += value;
  ++count;
}

void CurvePoint::add(const CurvePoint& other) {
  if (other.count == 0) return;
  least = count == 0 ? other.least : std::min(least, other.least);
  most = count == 0 ? other.most : std::max(most, other.most);
  sum += other.sum;
  count += other.count;
}

void Curves::begin_step(int64_t step, double epoch) {
  while ((step - 1) / width_ >= kMostBuckets) merge_pairs();
  bucket_ = static_cast<size_t>((step - 1) / width_);
  if (bucket_ >= last_step_.size()) {
    last_step_.resize(bucket_ + 1);
    epoch_.resize(bucket_ + 1);
  }
  if (step >= last_step_[bucket_]) {
    last_step_[bucket_] = step;
    epoch_[bucket_] = epoch;
  }
  ++steps_;
}

void Curves::add(std::string_view name, double value) {
  auto found = curves_.find(name);
  if (found == curves_.end()) found = curves_.emplace(name, Curve{}).first;
  Curve& curve = found->second;
  if (!std::isfinite(value)) {
    ++curve.not_finite;
    return;
  }
  if (curve.buckets.size() <= bucket_) curve.buckets.resize(bucket_ + 1);
  curve.buckets[bucket_].add(value);
}

void Curves::merge_pairs() {
  width_ *= 2;
  const auto halve = [](auto& values, const auto& join) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (i % 2 == 0)
        values[i / 2] = values[i];
      else
        join(values[i / 2], values[i]);
    }
    values.resize((values.size() + 1) / 2);
  };
  for (auto& [name, curve] : curves_)
    halve(curve.buckets, [](CurvePoint& a, const CurvePoint& b) { a.add(b); });
  halve(last_step_, [](int64_t& a, int64_t b) { a = std::max(a, b); });
  halve(epoch_, [](double& a, double b) { a = std::max(a, b); });
}

}  // namespace dfine::inline run_report
