#include "boxes/tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "support/raises.h"

namespace dfine {
namespace {

using Tiles = std::vector<Tile>;

TEST(Tiles, ASmallImageIsOne) {
  EXPECT_EQ(cut_into_tiles({480, 640}, 640, 0.2), (Tiles{{0, 0, 640, 480}}));
  EXPECT_EQ(cut_into_tiles({1, 1}, 640, 0.2), (Tiles{{0, 0, 1, 1}}));
  EXPECT_EQ(cut_into_tiles({640, 640}, 640, 0), (Tiles{{0, 0, 640, 640}}));
}

TEST(Tiles, TheLastAreShiftedInward) {
  // A step is 640 - 128 = 512: 0, 512, and 1300 - 640 = 660.
  EXPECT_EQ(cut_into_tiles({400, 1300}, 640, 0.2),
            (Tiles{{0, 0, 640, 400}, {512, 0, 640, 400}, {660, 0, 640, 400}}));
  EXPECT_EQ(cut_into_tiles({641, 641}, 640, 0),
            (Tiles{{0, 0, 640, 640}, {1, 0, 640, 640}, {0, 1, 640, 640}, {1, 1, 640, 640}}));
  // 512 + 640 = 1152 exactly: nothing is shifted.
  EXPECT_EQ(cut_into_tiles({100, 1152}, 640, 0.2), (Tiles{{0, 0, 640, 100}, {512, 0, 640, 100}}));
}

/// Tiles along one side: 1 + ceil((length - side) / step), each pixel in at least one.
TEST(Tiles, CountAndCoverFollowFromStepAndSide) {
  for (const int64_t side : {1, 7, 32, 100}) {
    for (const double overlap : {0.0, 0.1, 0.25, 0.5, 0.99}) {
      for (int64_t length = 1; length < 230; length += 3) {
        int64_t shared = 0;
        while (static_cast<double>(shared) < overlap * static_cast<double>(side) - 1e-9) ++shared;
        const int64_t step = std::max<int64_t>(1, side - shared);
        const int64_t expected = length <= side ? 1 : 1 + (length - side + step - 1) / step;
        const auto tiles = cut_into_tiles({1, length}, side, overlap);
        ASSERT_EQ(static_cast<int64_t>(tiles.size()), expected)
            << side << " " << overlap << " " << length;
        EXPECT_EQ(tiles.front().left, 0);
        EXPECT_EQ(tiles.back().left + tiles.back().width, length);
        for (size_t i = 1; i < tiles.size(); ++i) {
          EXPECT_EQ(tiles[i].width, side);
          EXPECT_GT(tiles[i].left, tiles[i - 1].left);
          EXPECT_LE(tiles[i].left - tiles[i - 1].left, step);
        }
      }
    }
  }
}

TEST(Tiles, SideAndOverlapHaveLimits) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(raises(ErrorCode::kBadValue, [] { cut_into_tiles({10, 10}, 0, 0.2); }));
  EXPECT_TRUE(raises(ErrorCode::kBadValue, [] { cut_into_tiles({10, 10}, 10, 1); }));
  EXPECT_TRUE(raises(ErrorCode::kBadValue, [] { cut_into_tiles({10, 10}, 10, -0.1); }));
  EXPECT_TRUE(raises(ErrorCode::kBadValue, [&] { cut_into_tiles({10, 10}, 10, nan); }));
}

}  // namespace
}  // namespace dfine
