#include "metrics/radix_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "core/random.h"

namespace dfine {
namespace {

struct Item {
  double score;
  uint32_t place;
  bool operator==(const Item&) const = default;
};

void expect_sorted(std::vector<Item> items) {
  std::vector<Item> expected = items, spare;
  std::ranges::stable_sort(expected, std::greater(), &Item::score);
  radix_sort(items, spare, [](const Item& item) { return descending_key(item.score); });
  ASSERT_EQ(items, expected);
}

TEST(RadixSort, OrdersScoresAsStableSortDoes) {
  CounterRandom random(1, Stream::kTest, 0);
  for (const uint64_t values : {2, 50, 1'000'000'000}) {
    for (const size_t size : {0, 1, 2, 3, 100, 5000}) {
      std::vector<Item> items;
      for (uint32_t i = 0; i < size; ++i)
        items.push_back({(static_cast<double>(random.below(values)) - 1) / 7, i});
      expect_sorted(items);
    }
  }
}

TEST(RadixSort, EveryKindOfNumber) {
  const double most = std::numeric_limits<double>::max(),
               least = std::numeric_limits<double>::denorm_min();
  std::vector<Item> items;
  for (const double score :
       {0.0, -0.0, 1.0, -1.0, least, -least, most, -most, 0.5, 0.25, -0.0, 0.0})
    items.push_back({score, static_cast<uint32_t>(items.size())});
  expect_sorted(items);
}

}  // namespace
}  // namespace dfine
