#pragma once
// Stable sorting of small records by an integer key.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dfine::inline metrics {

/// A key that orders like `score`, the highest first. -0 and 0 are equal; NaN is not allowed.
inline uint64_t descending_key(double score) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  const auto bits = std::bit_cast<uint64_t>(score + 0.0);
  return (bits & kSign) != 0 ? bits : ~(bits | kSign);
}

/// Sorts `items` by key(item), a uint64_t, stably; `spare` is working memory. Digits that are the
/// same in all keys cost nothing.
template <class Item, class Key>
void radix_sort(std::vector<Item>& items, std::vector<Item>& spare, Key key) {
  constexpr size_t kBits = 8, kDigits = 64 / kBits, kValues = size_t{1} << kBits;
  std::array<std::array<uint32_t, kValues>, kDigits> counts{};
  for (const Item& item : items) {
    const uint64_t k = key(item);
    for (size_t d = 0; d < kDigits; ++d) ++counts[d][(k >> (d * kBits)) % kValues];
  }
  spare.resize(items.size());
  for (size_t d = 0; d < kDigits; ++d) {
    auto& next = counts[d];
    if (items.empty() || next[(key(items[0]) >> (d * kBits)) % kValues] == items.size()) continue;
    uint32_t begin = 0;
    for (uint32_t& count : next) begin += std::exchange(count, begin);
    for (const Item& item : items) spare[next[(key(item) >> (d * kBits)) % kValues]++] = item;
    items.swap(spare);
  }
}

}  // namespace dfine::inline metrics
