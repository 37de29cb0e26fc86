#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dfine::inline data {

/// From ids to indices; an id given twice keeps its first index. It is one flat table with linear
/// probing, for a known number of ids. A million of them take 32 MB and a few hundredths of a
/// second.
class IdIndex {
 public:
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();

  explicit IdIndex(size_t count)
      : slots_(std::bit_ceil(2 * count + 1)), shift_(64 - std::countr_zero(slots_.size())) {}

  /// The index that had this id before, or kNone.
  size_t insert(int64_t id, size_t index) {
    Slot& slot = slots_[place_of(id)];
    if (slot.number != 0) return slot.number - 1;
    slot = {id, index + 1};
    return kNone;
  }
  size_t find(int64_t id) const { return slots_[place_of(id)].number - 1; }  // 0 becomes kNone

 private:
  struct Slot {
    int64_t id = 0;
    size_t number = 0;  // index + 1; 0: free
  };

  /// The slot of `id`, or the free one where it belongs.
  size_t place_of(int64_t id) const {
    constexpr uint64_t kGolden =
        0x9E3779B97F4A7C15;  // 2^64 / golden ratio: Fibonacci hashing (Knuth, TAOCP 3, section 6.4)
    size_t at =
        shift_ == 64 ? 0 : static_cast<size_t>(static_cast<uint64_t>(id) * kGolden >> shift_);
    while (slots_[at].number != 0 && slots_[at].id != id) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  std::vector<Slot> slots_;
  int shift_;
};

}  // namespace dfine::inline data
