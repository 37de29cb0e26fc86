// merge_tiles() on the real boxes of BCCD, laid out as one large image. A simulated detector sees
// each tile alone: true boxes cut to it, all of their sides displaced, with random scores.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "boxes/merge_tiles.h"
#include "boxes/nms.h"
#include "core/random.h"
#include "metrics/coco_json.h"

namespace dfine {
namespace {

constexpr int64_t kWidth = 640, kHeight = 480;  // of every image of BCCD

struct Mosaic {
  ImageSize size;
  std::vector<ScoredBox> objects;
};

/// Images side by side in rows of `columns`, as many rows as give at least `boxes` boxes.
Mosaic mosaic(size_t boxes, int64_t columns) {
  const char* const source = std::getenv("DFINE_SOURCE_DIR");
  const GroundTruth truth =
      read_coco_ground_truth(std::filesystem::path(source) / "tests/data/bccd/train.json");
  std::map<int64_t, std::vector<const GroundTruthBox*>> of_image;
  for (const auto& box : truth.boxes) of_image[box.image_id].push_back(&box);
  Mosaic all;
  for (size_t i = 0; i < truth.image_ids.size(); ++i) {
    const int64_t column = static_cast<int64_t>(i) % columns,
                  row = static_cast<int64_t>(i) / columns;
    if (column == 0 && all.objects.size() >= boxes) break;
    all.size = {.height = (row + 1) * kHeight, .width = columns * kWidth};
    const auto left = static_cast<float>(column * kWidth), top = static_cast<float>(row * kHeight);
    for (const GroundTruthBox* box : of_image[truth.image_ids[i]]) {
      const auto& b = box->xywh;
      const auto x = left + static_cast<float>(b[0]), y = top + static_cast<float>(b[1]);
      all.objects.push_back({{x, y, x + static_cast<float>(b[2]), y + static_cast<float>(b[3])},
                             1,
                             box->category_id});
    }
  }
  return all;
}

/// What a detector sees of `objects` in one tile. Sides are displaced by up to `jitter` of the
/// visible box, and stay in the tile. Of the whole image it sees what is at least `smallest` wide.
TileDetections detect(const Mosaic& image, const Tile& tile, float jitter, float smallest,
                      CounterRandom& random) {
  TileDetections found{tile, {}};
  const std::array<float, 4> window{static_cast<float>(tile.left), static_cast<float>(tile.top),
                                    static_cast<float>(tile.left + tile.width),
                                    static_cast<float>(tile.top + tile.height)};
  for (const ScoredBox& object : image.objects) {
    ScoredBox seen = object;
    for (size_t s = 0; s < 4; ++s)
      seen.xyxy[s] = std::clamp(object.xyxy[s], window[s % 2], window[s % 2 + 2]);
    const std::array<float, 2> size{seen.xyxy[2] - seen.xyxy[0], seen.xyxy[3] - seen.xyxy[1]};
    if (std::min(size[0], size[1]) < smallest) continue;
    for (size_t s = 0; s < 4; ++s)
      seen.xyxy[s] = std::clamp(seen.xyxy[s] + jitter * size[s % 2] * (2 * random.uniform() - 1),
                                window[s % 2], window[s % 2 + 2]);
    seen.score = 0.3F + 0.7F * random.uniform();
    found.boxes.push_back(seen);
  }
  std::ranges::sort(found.boxes, std::greater<>(), &ScoredBox::score);
  return found;
}

float iou(const ScoredBox& a, const ScoredBox& b) {
  const float w = std::min(a.xyxy[2], b.xyxy[2]) - std::max(a.xyxy[0], b.xyxy[0]);
  const float h = std::min(a.xyxy[3], b.xyxy[3]) - std::max(a.xyxy[1], b.xyxy[1]);
  if (w <= 0 || h <= 0) return 0;
  const auto area = [](const ScoredBox& r) {
    return (r.xyxy[2] - r.xyxy[0]) * (r.xyxy[3] - r.xyxy[1]);
  };
  return w * h / (area(a) + area(b) - w * h);
}

struct Mistakes {
  size_t missed = 0, doubles = 0;
};

/// One to one, the pairs with the highest IoU first.
Mistakes mistakes(const std::vector<ScoredBox>& objects, const std::vector<ScoredBox>& found) {
  struct Match {
    float iou;
    size_t object, found;
  };
  std::vector<Match> matches;
  for (size_t o = 0; o < objects.size(); ++o) {
    for (size_t f = 0; f < found.size(); ++f) {
      const float of_both = iou(objects[o], found[f]);
      if (objects[o].label == found[f].label && of_both >= 0.5F) matches.push_back({of_both, o, f});
    }
  }
  std::ranges::sort(matches, std::greater<>(), &Match::iou);
  std::vector<bool> taken(objects.size()), used(found.size());
  size_t pairs = 0;
  for (const Match& match : matches) {
    if (taken[match.object] || used[match.found]) continue;
    taken[match.object] = used[match.found] = true;
    ++pairs;
  }
  return {.missed = objects.size() - pairs, .doubles = found.size() - pairs};
}

struct Case {
  size_t boxes = 0;
  int64_t columns = 0, tile = 0;
  double overlap = 0;
  bool whole_image = false;
};

std::vector<TileDetections> detect_all(const Mosaic& image, const Case& c) {
  CounterRandom random(1, Stream::kTest, c.boxes, static_cast<uint32_t>(c.tile));
  std::vector<TileDetections> all;
  if (c.whole_image) {
    const Tile whole{0, 0, image.size.width, image.size.height};
    all.push_back(detect(image, whole, 0.05F, 60, random));
  }
  for (const Tile& tile : cut_into_tiles(image.size, c.tile, c.overlap))
    all.push_back(detect(image, tile, 0.05F, 2, random));
  return all;
}

class MergeMosaic : public testing::TestWithParam<Case> {};

TEST_P(MergeMosaic, FindsEveryObjectOnce) {
  const Case& c = GetParam();
  const Mosaic image = mosaic(c.boxes, c.columns);
  ASSERT_GE(image.objects.size(), c.boxes);
  const auto seen = detect_all(image, c);
  const Mistakes merged = mistakes(image.objects, merge_tiles(seen));
  EXPECT_EQ(merged.missed, 0U);
  EXPECT_EQ(merged.doubles, 0U);

  // The property fails for simpler ways, so it can fail.
  std::vector<ScoredBox> all, suppressed;
  for (const auto& of_tile : seen)
    all.insert(all.end(), of_tile.boxes.begin(), of_tile.boxes.end());
  for (const size_t i : nms(all, 0.5)) suppressed.push_back(all[i]);
  EXPECT_GT(mistakes(image.objects, all).doubles, c.boxes / 10);
  const Mistakes plain = mistakes(image.objects, suppressed);
  EXPECT_GT(plain.missed + plain.doubles, c.boxes / 20);
}

// Red cells are about 100 pixels wide, white ones 200, platelets 40.
INSTANTIATE_TEST_SUITE_P(
    Bccd, MergeMosaic,
    testing::Values(Case{300, 5, 640, 0.2, false}, Case{300, 5, 640, 0.2, true},
                    Case{300, 5, 320, 0.2, false}, Case{300, 5, 320, 0.2, true},
                    Case{2000, 12, 640, 0.2, true}, Case{2000, 12, 500, 0.3, false},
                    Case{2000, 12, 320, 0.2, true}));

}  // namespace
}  // namespace dfine
