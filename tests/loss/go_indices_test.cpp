#include "loss/go_indices.h"

#include <gtest/gtest.h>

namespace dfine {
namespace {

TEST(Union, MostVotesFirstThenQueryThenBox) {
  const MatchedIndices a{Pairs{{4, 7}, {0, 1}}};
  const MatchedIndices b{Pairs{{2, 7}, {0, 1}}};
  const MatchedIndices c{Pairs{{4, 9}, {1, 0}}};
  // (7,1) has two votes; (2,0), (4,0), (4,1), (9,0) one each. Query 4 keeps box 0.
  EXPECT_EQ(go_indices({a, b, c}), (MatchedIndices{Pairs{{7, 2, 4, 9}, {1, 0, 0, 0}}}));
}

TEST(Union, VotesOutweighTheOrder) {
  const MatchedIndices a{Pairs{{3}, {0}}}, b{Pairs{{3}, {5}}};
  EXPECT_EQ(go_indices({a, b, b}), (MatchedIndices{Pairs{{3}, {5}}}));
}

TEST(Union, ImagesAreApartAndMayBeEmpty) {
  const MatchedIndices a{Pairs{}, Pairs{{1}, {0}}}, b{Pairs{}, Pairs{{2}, {0}}};
  EXPECT_EQ(go_indices({a, b}), (MatchedIndices{Pairs{}, Pairs{{1, 2}, {0, 0}}}));
  EXPECT_TRUE(go_indices({}).empty());
}

}  // namespace
}  // namespace dfine
