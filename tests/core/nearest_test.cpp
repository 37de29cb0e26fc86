#include "core/nearest.h"

#include <gtest/gtest.h>

namespace dfine {
namespace {

using Names = std::vector<std::string>;

// Distances: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance ("ca" and "abc" are 3 apart
// where no part is edited twice), https://en.wikipedia.org/wiki/Levenshtein_distance.
TEST(Nearest, EditsCountSwappedNeighboursOnce) {
  EXPECT_EQ(edits_between("kitten", "sitting"), 3u);
  EXPECT_EQ(edits_between("trian", "train"), 1u);
  EXPECT_EQ(edits_between("treshold", "threshold"), 1u);
  EXPECT_EQ(edits_between("ca", "abc"), 3u);
  EXPECT_EQ(edits_between("ab", "ba"), 1u);
  EXPECT_EQ(edits_between("abcd", "badc"), 2u);
  EXPECT_EQ(edits_between("", "abc"), 3u);
  EXPECT_EQ(edits_between("abc", ""), 3u);
  EXPECT_EQ(edits_between("same", "same"), 0u);
}

TEST(Nearest, NamesWithTheFewestEdits) {
  const Names known{"--threshold", "--weights", "--images", "--image-size"};
  EXPECT_EQ(nearest_names("--treshold", known, 3), Names{"--threshold"});
  EXPECT_EQ(nearest_names("--Image_Size", known, 0), Names{"--image-size"});
  EXPECT_EQ(nearest_names("--image", known, 2), Names{"--images"});
  EXPECT_EQ(nearest_names("--verbose", known, 3), Names{});
  EXPECT_EQ(nearest_names("ax", {"ay", "az", "b"}, 1), (Names{"ay", "az"}));
}

TEST(Nearest, JoinedByOr) {
  EXPECT_EQ(joined_by_or({}), "");
  EXPECT_EQ(joined_by_or({"a"}), "a");
  EXPECT_EQ(joined_by_or({"a", "b", "c"}), "a or b or c");
}

}  // namespace
}  // namespace dfine
