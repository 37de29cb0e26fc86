#include "boxes/merge_tiles.h"

#include <gtest/gtest.h>

namespace dfine {
namespace {

using Boxes = std::vector<ScoredBox>;

/// Two tiles of 100 x 100 that share the columns 80 to 100.
const Tile kLeft{0, 0, 100, 100}, kRight{80, 0, 100, 100};
const Tile kImage{0, 0, 180, 100};

void expect_boxes(const Boxes& found, const Boxes& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].xyxy, expected[i].xyxy) << i;
    EXPECT_EQ(found[i].score, expected[i].score) << i;
    EXPECT_EQ(found[i].label, expected[i].label) << i;
  }
}

TEST(MergeTiles, NothingAndOneTileStay) {
  expect_boxes(merge_tiles({}), {});
  const Boxes doubles{{{10, 10, 20, 20}, 0.9F, 0}, {{10, 10, 20, 20}, 0.8F, 0}};
  expect_boxes(merge_tiles(std::vector<TileDetections>{{kLeft, doubles}}), doubles);
}

TEST(MergeTiles, AnObjectInTheOverlapCountsOnceWithTheHigherScore) {
  const std::vector<TileDetections> tiles{{kLeft, {{{84, 10, 94, 20}, 0.7F, 1}}},
                                          {kRight, {{{85, 10, 94, 20}, 0.8F, 1}}}};
  expect_boxes(merge_tiles(tiles), {{{85, 10, 94, 20}, 0.8F, 1}});
}

TEST(MergeTiles, OtherClassesAndOtherPlacesAreOtherObjects) {
  const std::vector<TileDetections> tiles{
      {kLeft, {{{84, 10, 94, 20}, 0.7F, 1}, {{84, 40, 94, 50}, 0.6F, 0}}},
      {kRight, {{{84, 10, 94, 20}, 0.8F, 0}, {{84, 60, 94, 70}, 0.5F, 0}}}};
  EXPECT_EQ(merge_tiles(tiles).size(), 4U);
}

TEST(MergeTiles, TheWholeBoxWinsOverACutOneOfHigherScore) {
  const std::vector<TileDetections> tiles{{kLeft, {{{60, 10, 94, 50}, 0.7F, 0}}},
                                          {kRight, {{{80, 10, 94, 50}, 0.9F, 0}}}};
  expect_boxes(merge_tiles(tiles), {{{60, 10, 94, 50}, 0.7F, 0}});
}

TEST(MergeTiles, ACutPartOfARoundObjectIsLowerThanTheObject) {
  const std::vector<TileDetections> tiles{{kLeft, {{{44, 10, 84, 50}, 0.7F, 0}}},
                                          {kRight, {{{80, 23, 84, 37}, 0.6F, 0}}}};
  expect_boxes(merge_tiles(tiles), {{{44, 10, 84, 50}, 0.7F, 0}});
}

TEST(MergeTiles, TwoHalvesBecomeOneObject) {
  const std::vector<TileDetections> tiles{{kLeft, {{{30, 10, 100, 50}, 0.7F, 0}}},
                                          {kRight, {{{80, 11, 150, 52}, 0.9F, 0}}}};
  expect_boxes(merge_tiles(tiles), {{{30, 10, 150, 52}, 0.9F, 0}});
}

TEST(MergeTiles, NeighboursThatOverlapStayTwo) {
  const std::vector<TileDetections> tiles{
      {kLeft, {{{70, 10, 90, 40}, 0.9F, 0}, {{76, 10, 96, 40}, 0.8F, 0}}},
      {kRight, {{{80, 10, 90, 40}, 0.7F, 0}, {{80, 10, 96, 40}, 0.6F, 0}}}};
  expect_boxes(merge_tiles(tiles), {{{70, 10, 90, 40}, 0.9F, 0}, {{76, 10, 96, 40}, 0.8F, 0}});
}

/// The smaller part would be covered by the larger object, but the right tile has seen both.
TEST(MergeTiles, WhatOneTileSeesTwiceIsTwo) {
  const std::vector<TileDetections> tiles{
      {kLeft, {{{50, 10, 95, 60}, 0.9F, 0}}},
      {kRight, {{{80, 10, 95, 60}, 0.8F, 0}, {{80, 20, 86, 30}, 0.7F, 0}}}};
  expect_boxes(merge_tiles(tiles), {{{50, 10, 95, 60}, 0.9F, 0}, {{80, 20, 86, 30}, 0.7F, 0}});
}

TEST(MergeTiles, ACutBoxThatFitsNothingStays) {
  const std::vector<TileDetections> tiles{{kLeft, {}}, {kRight, {{{80, 10, 99, 50}, 0.8F, 0}}}};
  expect_boxes(merge_tiles(tiles), {{{80, 10, 99, 50}, 0.8F, 0}});
}

TEST(MergeTiles, TheWholeImageGivesTheBoxThatAllTilesCut) {
  const std::vector<TileDetections> tiles{{kImage, {{{29, 12, 151, 51}, 0.6F, 0}}},
                                          {kLeft, {{{30, 10, 100, 50}, 0.7F, 0}}},
                                          {kRight, {{{80, 11, 150, 52}, 0.9F, 0}}}};
  expect_boxes(merge_tiles(tiles), {{{29, 12, 151, 51}, 0.6F, 0}});
}

TEST(MergeTiles, TheTileDecidesOnWhatItSeesWhole) {
  const std::vector<TileDetections> tiles{
      {kImage, {{{10, 10, 30, 30}, 0.9F, 0}, {{40, 40, 60, 60}, 0.9F, 0}}},
      {kLeft, {{{11, 10, 30, 30}, 0.5F, 0}}},
      {kRight, {}}};
  expect_boxes(merge_tiles(tiles), {{{11, 10, 30, 30}, 0.5F, 0}});
}

}  // namespace
}  // namespace dfine
