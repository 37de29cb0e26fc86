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
  const auto box = normalise_box({16, 20, 32, 40}, 128, 80);
  ASSERT_TRUE(box);
  EXPECT_EQ(box->cxcywh, (Normalised{0.25F, 0.5F, 0.25F, 0.5F}));
  EXPECT_FALSE(box->clipped);
  const auto whole = normalise_box({0, 0, 640, 480}, 640, 480);
  EXPECT_EQ(whole->cxcywh, (Normalised{0.5F, 0.5F, 1, 1}));
  EXPECT_FALSE(whole->clipped);
}

TEST(BoxPolicy, PartsOutsideAreCutOff) {
  const auto left_top = normalise_box({-16, -8, 32, 16}, 64, 32);
  EXPECT_EQ(left_top->cxcywh, (Normalised{0.125F, 0.125F, 0.25F, 0.25F}));
  EXPECT_TRUE(left_top->clipped);
  const auto right_bottom = normalise_box({48, 24, 100, 100}, 64, 32);
  EXPECT_EQ(right_bottom->cxcywh, (Normalised{0.875F, 0.875F, 0.25F, 0.25F}));
  EXPECT_TRUE(right_bottom->clipped);
  EXPECT_EQ(normalise_box({-5, -5, 1000, 1000}, 64, 32)->cxcywh, (Normalised{0.5F, 0.5F, 1, 1}));
}

TEST(BoxPolicy, RoundingAtTheBorderIsNotClipping) {
  EXPECT_FALSE(normalise_box({639.9, 0, 0.1 + 1e-13, 10}, 640, 480)->clipped);
  EXPECT_TRUE(normalise_box({639.9, 0, 0.11, 10}, 640, 480)->clipped);  // COCO's two decimals
  EXPECT_EQ(normalise_box({600, 0, 40.0000001, 10}, 640, 480)->cxcywh[2], 0.0625F);
}

TEST(BoxPolicy, BoxesWithoutAreaInsideAreDropped) {
  for (const Box& box : {Box{5, 5, 0, 3}, Box{5, 5, 3, 0}, Box{5, 5, 0, 0}, Box{5, 5, -3, 3},
                         Box{5, 5, 3, -1}, Box{64, 5, 3, 3}, Box{5, 32, 3, 3}, Box{-3, 5, 3, 3},
                         Box{5, -9, 3, 3}, Box{100, 100, 3, 3}, Box{5, 5, 1e-60, 3}}) {
    EXPECT_FALSE(normalise_box(box, 64, 32))
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
    const auto box = normalise_box({number(width), number(height), number(width), number(height)},
                                   width, height);
    if (!box) continue;
    ++kept;
    for (const float v : box->cxcywh) ASSERT_TRUE(v >= 0 && v <= 1) << v;
    ASSERT_GT(box->cxcywh[2], 0);
    ASSERT_GT(box->cxcywh[3], 0);
  }
  EXPECT_GT(kept, 2000);
}

}  // namespace
}  // namespace dfine
