#include "core/text.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/split.h"

namespace dfine {
namespace {

TEST(Text, CatJoinsValues) {
  EXPECT_EQ(str_cat("a", 1, ' ', 2.5, std::string("b")), "a1 2.5b");
}

TEST(Text, FixedRoundsLikePrintf) {
  EXPECT_EQ(fixed(1.005, 1), "1.0");
  EXPECT_EQ(fixed(-0.25, 3), "-0.250");
  EXPECT_EQ(fixed(2, 0), "2");
  EXPECT_EQ(fixed(std::numeric_limits<double>::max(), 2), "1.79769e+308");
}

TEST(Text, WithCommasGroupsThousands) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(with_commas(-123456), "-123,456");
  EXPECT_EQ(with_commas(-1000), "-1,000");
}

TEST(Text, CountedIsSingularForOneAlone) {
  EXPECT_EQ(counted(0, "rank"), "0 ranks");
  EXPECT_EQ(counted(1, "rank"), "1 rank");
  EXPECT_EQ(counted(2000, "rank"), "2,000 ranks");
}

TEST(Text, ListedEndsWithAnd) {
  EXPECT_EQ(listed({}), "");
  EXPECT_EQ(listed({"a"}), "a");
  EXPECT_EQ(listed({"a", "b"}), "a and b");
  EXPECT_EQ(listed({"a", "b", "c"}), "a, b and c");
}

TEST(Text, HumanBytesPicksTheUnit) {
  EXPECT_EQ(human_bytes(17), "17 B");
  EXPECT_EQ(human_bytes(512.0 * 1024 * 1024), "512.0 MiB");
  EXPECT_EQ(human_bytes(1.5 * 1024 * 1024 * 1024), "1.5 GiB");
  EXPECT_EQ(human_bytes(2048.0 * 1024 * 1024 * 1024 * 1024), "2048.0 TiB");
}

TEST(Split, GivesThePartsBetweenSeparators) {
  using Parts = std::vector<std::string>;
  EXPECT_EQ(split("a,,b c", ','), (Parts{"a", "", "b c"}));
  EXPECT_EQ(split("a.b.", '.'), (Parts{"a", "b"}));
  EXPECT_EQ(split("abc", ','), Parts{"abc"});
  EXPECT_EQ(split("", ','), Parts{});
}

}  // namespace
}  // namespace dfine
