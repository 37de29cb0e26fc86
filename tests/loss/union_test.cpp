#include "loss/union.h"

#include <gtest/gtest.h>

namespace dfine {
namespace {

TEST(Union, MostVotesFirstThenQueryThenBox) {
  const Matching a{Pairs{{4, 7}, {0, 1}}};
  const Matching b{Pairs{{2, 7}, {0, 1}}};
  const Matching c{Pairs{{4, 9}, {1, 0}}};
  // (7,1) has two votes; (2,0), (4,0), (4,1), (9,0) one each. Query 4 keeps box 0.
  EXPECT_EQ(match_union({a, b, c}), (Matching{Pairs{{7, 2, 4, 9}, {1, 0, 0, 0}}}));
}

TEST(Union, VotesOutweighTheOrder) {
  const Matching a{Pairs{{3}, {0}}}, b{Pairs{{3}, {5}}};
  EXPECT_EQ(match_union({a, b, b}), (Matching{Pairs{{3}, {5}}}));
}

TEST(Union, ImagesAreApartAndMayBeEmpty) {
  const Matching a{Pairs{}, Pairs{{1}, {0}}}, b{Pairs{}, Pairs{{2}, {0}}};
  EXPECT_EQ(match_union({a, b}), (Matching{Pairs{}, Pairs{{1, 2}, {0, 0}}}));
  EXPECT_TRUE(match_union({}).empty());
}

}  // namespace
}  // namespace dfine
