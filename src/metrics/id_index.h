#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dfine::inline metrics {

/// Id -> place among the distinct ids in ascending order.
class IdIndex {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  /// For about `lookups` calls of find(): with many, ids that are not far apart get a table.
  IdIndex(std::vector<int64_t> ids, size_t lookups) : ids_(std::move(ids)) {
    if (!std::ranges::is_sorted(ids_)) std::sort(ids_.begin(), ids_.end());
    ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
    if (ids_.empty()) return;
    const uint64_t width = static_cast<uint64_t>(ids_.back()) - static_cast<uint64_t>(ids_[0]) + 1;
    if (width == 0 || width > 4 * (lookups + ids_.size())) return;
    table_.assign(width, kNone);
    for (uint32_t i = 0; i < ids_.size(); ++i) table_[offset(ids_[i])] = i;
  }

  uint32_t size() const { return static_cast<uint32_t>(ids_.size()); }

  /// kNone for an unknown id.
  uint32_t find(int64_t id) const {
    if (!table_.empty()) return offset(id) < table_.size() ? table_[offset(id)] : kNone;
    const auto it = std::lower_bound(ids_.begin(), ids_.end(), id);
    return it == ids_.end() || *it != id ? kNone : static_cast<uint32_t>(it - ids_.begin());
  }

 private:
  uint64_t offset(int64_t id) const {
    return static_cast<uint64_t>(id) - static_cast<uint64_t>(ids_[0]);
  }

  std::vector<int64_t> ids_;
  std::vector<uint32_t> table_;  // by id - the lowest id; empty: not worth it
};

}  // namespace dfine::inline metrics
