#include "data/box_policy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"

namespace dfine {
namespace {

using Box = std::array<double, 4>;
using Normalised = std::array<float, 4>;

// Expected values are the definition worked out by hand: (x + w/2) / W, (y + h/2) / H, w / W, h / H
// of the part inside.
TEST(BoxPolicy, InsideBoxesAreNormalised) {
  EXPECT_EQ(clip_box({16, 20, 32, 40}, 128, 80), (Box{16, 20, 48, 60}));
  EXPECT_EQ(normalised({16, 20, 48, 60}, 128, 80), (Normalised{0.25F, 0.5F, 0.25F, 0.5F}));
  EXPECT_FALSE(reaches_outside({16, 20, 32, 40}, 128, 80));
  EXPECT_EQ(normalised({0, 0, 640, 480}, 640, 480), (Normalised{0.5F, 0.5F, 1, 1}));
  EXPECT_FALSE(reaches_outside({0, 0, 640, 480}, 640, 480));
}

TEST(BoxPolicy, PartsOutsideAreCutOff) {
  EXPECT_EQ(clip_box({-16, -8, 32, 16}, 64, 32), (Box{0, 0, 16, 8}));
  EXPECT_TRUE(reaches_outside({-16, 0, 32, 16}, 64, 32));
  EXPECT_TRUE(reaches_outside({0, -8, 32, 16}, 64, 32));
  EXPECT_EQ(clip_box({48, 24, 100, 100}, 64, 32), (Box{48, 24, 64, 32}));
  EXPECT_TRUE(reaches_outside({48, 0, 100, 10}, 64, 32));
  EXPECT_TRUE(reaches_outside({0, 24, 10, 100}, 64, 32));
  EXPECT_EQ(clip_box({-5, -5, 1000, 1000}, 64, 32), (Box{0, 0, 64, 32}));
}

TEST(BoxPolicy, RoundingAtTheBorderIsNotClipping) {
  EXPECT_FALSE(reaches_outside({639.9, 0, 0.1 + 1e-13, 10}, 640, 480));
  EXPECT_TRUE(reaches_outside({639.9, 0, 0.11, 10}, 640, 480));  // COCO's two decimals
  EXPECT_EQ(clip_box({600, 0, 40.0000001, 10}, 640, 480), (Box{600, 0, 640, 10}));
}

TEST(BoxPolicy, BoxesWithoutAreaInsideAreDropped) {
  for (const Box& box : {Box{5, 5, 0, 3}, Box{5, 5, 3, 0}, Box{5, 5, 0, 0}, Box{5, 5, -3, 3},
                         Box{5, 5, 3, -1}, Box{64, 5, 3, 3}, Box{5, 32, 3, 3}, Box{-3, 5, 3, 3},
                         Box{5, -9, 3, 3}, Box{100, 100, 3, 3}, Box{5, 5, 1e-60, 3}}) {
    EXPECT_FALSE(clip_box(box, 64, 32))
        << box[0] << ' ' << box[1] << ' ' << box[2] << ' ' << box[3];
  }
}

TEST(BoxPolicy, WhatIsKeptLiesInTheUnitSquare) {
  CounterRandom random(5, Stream::kTest, 0);
  const auto number = [&](double span) { return (random.uniform_double() * 3 - 1) * span; };
  int kept = 0;
  for (int i = 0; i < 20000; ++i) {
    const int width = 1 + static_cast<int>(random.below(2000)),
              height = 1 + static_cast<int>(random.below(2000));
    const auto box =
        clip_box({number(width), number(height), number(width), number(height)}, width, height);
    if (!box) continue;
    ++kept;
    const Normalised cxcywh = normalised(*box, width, height);
    for (const float v : cxcywh) ASSERT_TRUE(v >= 0 && v <= 1) << v;
    ASSERT_GT(cxcywh[2], 0);
    ASSERT_GT(cxcywh[3], 0);
  }
  EXPECT_GT(kept, 2000);
}

}  // namespace
}  // namespace dfine
