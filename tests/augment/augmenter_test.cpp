// Properties over random images and boxes. ops_test.py and draws_test.py compare with
// torchvision.
#include "augment/augmenter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "image/resize.h"

namespace dfine {
namespace {

constexpr AugmentConfig::Interval kNoScale{1, 1};

AugmentConfig nothing() {
  AugmentConfig config;
  config.photometric = config.zoom_out = config.iou_crop = config.flip = 0;
  return config;
}

CounterRandom test_random(uint64_t key) {
  return {9, Stream::kTest, key};
}

int between(CounterRandom& random, int low, int high) {
  return low + static_cast<int>(random.below(static_cast<uint64_t>(high - low + 1)));
}

Image noise(int width, int height, uint64_t key) {
  CounterRandom random = test_random(key);
  Image image(width, height);
  for (uint8_t& byte : image.pixels) byte = static_cast<uint8_t>(random.below(256));
  return image;
}

/// Any boxes, many tiny, of a random number that may be none.
AugmentSource random_source(uint64_t key) {
  CounterRandom random = test_random(key);
  AugmentSource source{noise(between(random, 1, 300), between(random, 1, 300), key), {}};
  const int count = between(random, 0, 8);
  for (int32_t label = 0; label < count; ++label) {
    const auto width = static_cast<float>(source.image.width),
               height = static_cast<float>(source.image.height);
    const float shrink = random.uniform() < 0.5F ? 0.03F : 1.0F;
    const float left = random.uniform() * width, top = random.uniform() * height;
    source.boxes.push_back({{left, top, left + (width - left) * random.uniform() * shrink,
                             top + (height - top) * random.uniform() * shrink},
                            label});
  }
  return source;
}

struct Sample {
  std::vector<uint8_t> planes;
  std::vector<LabelledBox> boxes;
};

Sample augmented(const Augmenter& augmenter, const SampleKey& key,
                 std::vector<AugmentSource> sources, ImageSize size, AugmentScratch& scratch) {
  const AugmentPlan plan = augmenter.plan(key, 100);
  while (sources.size() > 1 + plan.partners.size()) sources.pop_back();
  Sample sample{std::vector<uint8_t>(static_cast<size_t>(size.height * size.width) * 3), {}};
  augmenter.apply(plan, sources, size, sample.planes.data(), sample.boxes, scratch);
  return sample;
}

AugmentConfig everything() {
  AugmentConfig config;
  config.rotate = config.mosaic = config.mixup = 0.5;
  config.mosaic_tile = 64;
  return config;
}

std::vector<AugmentSource> eight_sources(uint64_t key) {
  std::vector<AugmentSource> sources;
  for (uint64_t i = 0; i < 8; ++i) sources.push_back(random_source(8 * key + i));
  return sources;
}

TEST(Augmenter, BoxesStayValid) {
  const Augmenter augmenter(everything(), 1, 0);
  AugmentScratch scratch;
  size_t boxes = 0;
  for (int64_t position = 0; position < 400; ++position) {
    CounterRandom random = test_random(static_cast<uint64_t>(position) + 5000);
    const ImageSize size{between(random, 1, 200), between(random, 1, 200)};
    const Sample sample = augmented(augmenter, {0, position},
                                    eight_sources(static_cast<uint64_t>(position)), size, scratch);
    for (const LabelledBox& box : sample.boxes) {
      const auto [left, top, right, bottom] = box.xyxy;
      EXPECT_TRUE(left >= 0 && right <= static_cast<double>(size.width)) << left << ' ' << right;
      EXPECT_TRUE(top >= 0 && bottom <= static_cast<double>(size.height)) << top << ' ' << bottom;
      EXPECT_GE(static_cast<float>(right - left), 1);  // no NaN either
      EXPECT_GE(static_cast<float>(bottom - top), 1);
      ++boxes;
    }
  }
  EXPECT_GT(boxes, 400u);
}

/// The colour of a label: no two alike within the rounding of a resize, and none black.
std::array<uint8_t, 3> colour_of(int32_t label) {
  const auto level = [](int32_t digit) { return static_cast<uint8_t>(63 + 64 * digit); };
  return {level(label % 4), level(label / 4 % 4), level(label / 16 % 4)};
}

/// Rectangles of their labels' colours on black, one in each cell of a grid.
AugmentSource coloured_source(CounterRandom& random, int32_t first_label) {
  constexpr int kCell = 70;
  const int columns = between(random, 3, 4), rows = between(random, 3, 4);
  AugmentSource source{Image(columns * kCell, rows * kCell), {}};
  std::fill(source.image.pixels.begin(), source.image.pixels.end(), uint8_t{0});
  for (int cell = 0; cell < columns * rows; ++cell) {
    const int left = cell % columns * kCell + between(random, 0, 20),
              top = cell / columns * kCell + between(random, 0, 20);
    const int right = left + between(random, 10, 45), bottom = top + between(random, 10, 45);
    const int32_t label = first_label + cell;
    for (int y = top; y < bottom; ++y)
      for (int x = left; x < right; ++x)
        for (size_t c = 0; c < 3; ++c)
          source.image.row(y)[3 * x + static_cast<int>(c)] = colour_of(label)[c];
    source.boxes.push_back({{static_cast<float>(left), static_cast<float>(top),
                             static_cast<float>(right), static_cast<float>(bottom)},
                            label});
  }
  return source;
}

struct Bounds {
  int left = 1 << 20, top = 1 << 20, right = 0, bottom = 0;
};

Bounds bounds_of_colour(const Sample& sample, int side, const std::array<uint8_t, 3>& colour) {
  Bounds bounds;
  const auto plane = static_cast<size_t>(side * side);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      bool same = true;
      for (size_t c = 0; c < 3; ++c)
        same = same && sample.planes[c * plane + static_cast<size_t>(y * side + x)] == colour[c];
      if (!same) continue;
      bounds = {std::min(bounds.left, x), std::min(bounds.top, y), std::max(bounds.right, x + 1),
                std::max(bounds.bottom, y + 1)};
    }
  }
  return bounds;
}

/// Each surviving box is where its colour is: the pixels of the very colour end within the filter's
/// reach of its edges.
void expect_boxes_on_their_colours(AugmentConfig config, bool four) {
  constexpr int kSide = 256;
  config.photometric = 0;
  const Augmenter augmenter(config, 4, 0);
  AugmentScratch scratch;
  int seen = 0;
  for (int64_t position = 0; position < 100; ++position) {
    CounterRandom random = test_random(static_cast<uint64_t>(position));
    std::vector<AugmentSource> sources;
    for (int32_t i = 0; i < (four ? 4 : 1); ++i) sources.push_back(coloured_source(random, 16 * i));
    const Sample sample = augmented(augmenter, {0, position}, sources, {kSide, kSide}, scratch);
    for (const LabelledBox& box : sample.boxes) {
      const auto [left, top, right, bottom] = box.xyxy;
      if (right - left < 20 || bottom - top < 20) continue;  // narrower ones may be all edge
      const Bounds bounds = bounds_of_colour(sample, kSide, colour_of(box.label));
      constexpr double kReach = 6;  // a source pixel is at most 256 / (0.3 * 210) = 4.1 pixels, and
                                    // nearest-pixel mosaics add up to one
      EXPECT_NEAR(bounds.left, left, kReach) << position;
      EXPECT_NEAR(bounds.right, right, kReach) << position;
      EXPECT_NEAR(bounds.top, top, kReach) << position;
      EXPECT_NEAR(bounds.bottom, bottom, kReach) << position;
      ++seen;
    }
  }
  EXPECT_GT(seen, 100);
}

TEST(Augmenter, BoxesAndLabelsStayWithTheirPixels) {
  AugmentConfig config;
  config.rotate = 0.7;
  config.zoom_out_side = {1, 2};
  expect_boxes_on_their_colours(config, false);
}

TEST(Augmenter, MosaicKeepsBoxesAndLabelsWithTheirPixels) {
  AugmentConfig config;
  config.mosaic = 1;
  config.mosaic_rotation = 0;  // else the upright box around a turned one is larger than its pixels
  config.rotate = 0.5;
  expect_boxes_on_their_colours(config, true);
}

AugmentSource plain_source(int width, int height, uint8_t colour) {
  AugmentSource source{.image = Image(width, height), .boxes = {}};
  std::fill(source.image.pixels.begin(), source.image.pixels.end(), colour);
  return source;
}

// 5000 x 1: at a shorter side of 320 pixels the longer would have 1.6 million, and the canvas 6 GB.
// The tile has 4096 x 320.
TEST(Mosaic, VeryLongImagesAreShortened) {
  std::vector<AugmentSource> four{plain_source(5000, 1, 10), plain_source(640, 480, 20),
                                  plain_source(4000, 320, 30), plain_source(5000, 1, 40)};
  four[0].boxes = {{{1250, 0, 2500, 1}, 0}};
  four[2].boxes = {{{0, 0, 4000, 320}, 2}};  // as it is
  const AugmentConfig config;
  Image canvas;
  AugmentSource out;
  compose_mosaic(four, MosaicDraw{}, config, canvas, out);  // neither turned nor scaled nor moved
  EXPECT_EQ(out.image.width, 2 * 4096);
  EXPECT_EQ(out.image.height, 2 * 320);
  ASSERT_EQ(out.boxes.size(), 2U);
  EXPECT_EQ(out.boxes[0].xyxy, (std::array<double, 4>{1024, 0, 2048, 320}));
  EXPECT_EQ(out.boxes[1].xyxy, (std::array<double, 4>{0, 320, 4000, 640}));
  const auto colour = [&](int x, int y) { return int{out.image.row(y)[3 * x]}; };
  EXPECT_EQ(colour(4095, 319), 10);
  EXPECT_EQ(colour(4096 + 425, 319), 20);  // 640 x 480 at 426 x 320
  EXPECT_EQ(colour(4096 + 426, 319), config.fill);
  EXPECT_EQ(colour(3999, 320), 30);
  EXPECT_EQ(colour(4000, 320), config.fill);
  EXPECT_EQ(colour(8191, 639), 40);

  for (AugmentSource& source : four) source = plain_source(1, 5000, 50);
  four[3].boxes = {{{0, 4000, 1, 5000}, 3}};
  compose_mosaic(four, MosaicDraw{}, config, canvas, out);
  EXPECT_EQ(out.image.width, 2 * 320);
  EXPECT_EQ(out.image.height, 2 * 4096);
  EXPECT_DOUBLE_EQ(out.boxes.at(0).xyxy[1], 4096 + 4000 * 0.8192);
  EXPECT_DOUBLE_EQ(out.boxes.at(0).xyxy[3], 2 * 4096);
}

TEST(Augmenter, IsAPureFunctionOfTheKey) {
  const Augmenter augmenter(everything(), 1, 0);
  AugmentScratch used;
  std::vector<Sample> once;
  for (int64_t position = 0; position < 20; ++position)
    once.push_back(augmented(augmenter, {3, position},
                             eight_sources(static_cast<uint64_t>(position)), {96, 64}, used));
  for (int64_t position = 19; position >= 0; --position) {
    AugmentScratch fresh;
    const Sample again = augmented(augmenter, {3, position},
                                   eight_sources(static_cast<uint64_t>(position)), {96, 64}, fresh);
    const Sample& before = once[static_cast<size_t>(position)];
    EXPECT_EQ(again.planes, before.planes);
    EXPECT_EQ(again.boxes.size(), before.boxes.size());
  }
}

/// Other pixels than needed() names make no difference.
TEST(Augmenter, LooksOnlyAtWhatItNeeds) {
  AugmentScratch scratch;
  int parts = 0;
  for (const bool joins : {false, true}) {
    AugmentConfig config = everything();
    if (!joins) config.mosaic = config.mixup = 0;
    const Augmenter augmenter(config, 6, 0);
    for (int64_t position = 0; position < (joins ? 60 : 400); ++position) {
      const SampleKey key{0, position};
      const AugmentPlan plan = augmenter.plan(key, 100);
      const auto from = static_cast<uint64_t>(position);
      std::vector<AugmentSource> sources{random_source(from)};
      if (joins) sources = eight_sources(from);
      const Sample expected = augmented(augmenter, key, sources, {64, 80}, scratch);
      for (size_t i = 0; i < 1 + plan.partners.size(); ++i) {
        Image& image = sources[i].image;
        const Window needed =
            augmenter.needed(plan, i, image.width, image.height, sources[i].boxes);
        const Window whole{0, 0, image.width, image.height};
        EXPECT_EQ(intersection(needed, whole), needed);
        EXPECT_FALSE(needed.empty());
        parts += needed != whole;
        for (int y = 0; y < image.height; ++y) {
          for (int x = 0; x < 3 * image.width; ++x) {
            if (y < needed.top || y >= needed.bottom() || x < 3 * needed.left ||
                x >= 3 * needed.right())
              image.row(y)[x] ^= 0xA5;
          }
        }
      }
      const Sample found = augmented(augmenter, key, sources, {64, 80}, scratch);
      ASSERT_EQ(found.planes, expected.planes) << position;
      EXPECT_EQ(found.boxes.size(), expected.boxes.size());
    }
  }
  EXPECT_GT(parts, 50);
}

TEST(Augmenter, OpsDrawIndependently) {
  AugmentConfig other;
  other.zoom_out = other.photometric = 0;
  other.hue = {0, 0.5};
  other.iou_crop_trials = 1;
  for (int64_t position = 0; position < 50; ++position) {
    const SampleKey key{1, position};
    const auto same = [&](AugmentOp op, auto draw) {
      EXPECT_EQ(draw(AugmentConfig{}, augment_random(2, key, op)),
                draw(other, augment_random(2, key, op)));
    };
    same(AugmentOp::kFlip, draw_flip);
    same(AugmentOp::kPhotometric, [](const AugmentConfig& config, CounterRandom random) {
      AugmentConfig always = config;
      always.photometric = 1;
      const ColourDraw draw = draw_colours(always, random);
      return std::tuple{draw.distortion.brightness, draw.distortion.contrast,
                        draw.distortion.saturation, draw.channels};
    });
    // As a loader that only flips has drawn it.
    CounterRandom plain(2, Stream::kAugment, 1, static_cast<uint32_t>(position));
    EXPECT_EQ(draw_flip({}, augment_random(2, key, AugmentOp::kFlip)), plain.uniform() < 0.5F);
  }
}

TEST(Augmenter, OnlyFlipAndRotationAreLeftFromTheStopEpochOn) {
  AugmentConfig config = everything();
  config.mosaic = config.mixup = 1;
  const Augmenter augmenter(config, 1, 5);
  EXPECT_EQ(augmenter.plan({4, 0}, 100).partners.size(), 7u);
  AugmentConfig plain = nothing();
  plain.flip = config.flip;
  plain.rotate = config.rotate;
  const Augmenter rest(plain, 1, 0);
  AugmentScratch scratch;
  for (int64_t position = 0; position < 10; ++position) {
    EXPECT_TRUE(augmenter.plan({5, position}, 100).partners.empty());
    const std::vector<AugmentSource> sources{random_source(static_cast<uint64_t>(position))};
    EXPECT_EQ(augmented(augmenter, {5, position}, sources, {64, 64}, scratch).planes,
              augmented(rest, {5, position}, sources, {64, 64}, scratch).planes);
  }
}

/// The pre-flight draws the random numbers of those alone whose row says that they join images.
TEST(Augmenter, TheRowSaysWhichTakeOtherImages) {
  for (const Augmentation& each : kAugmentations) {
    AugmentConfig config = nothing();
    config.*each.probability = 1;
    EXPECT_EQ(Augmenter(config, 1, 0).plan({0, 0}, 100).partners.empty(), !each.joins) << each.key;
    EXPECT_EQ(joins_images(config), each.joins) << each.key;
  }
}

TEST(Augmenter, WithAllOffItResizes) {
  const Augmenter augmenter(nothing(), 1, 0);
  AugmentScratch scratch;
  const AugmentSource source{noise(50, 40, 1), {{{5, 10, 25, 30}, 7}}};
  const Sample sample = augmented(augmenter, {0, 0}, {source}, {80, 60}, scratch);
  std::vector<uint8_t> expected(sample.planes.size());
  resize_antialias_chw(source.image, 60, 80, false, expected.data());
  EXPECT_EQ(sample.planes, expected);
  ASSERT_EQ(sample.boxes.size(), 1u);
  EXPECT_EQ(sample.boxes[0].label, 7);
  const std::array<double, 4> enlarged{6, 20, 30, 60};  // 60 / 50 = 1.2 wide, 80 / 40 = 2 high
  for (size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(sample.boxes[0].xyxy[i], enlarged[i]);
}

/// torchvision's RandomIoUCrop draws on until "as it is" comes up where no crop can keep a box.
TEST(Augmenter, ImagesWithoutBoxesAreNotCropped) {
  AugmentConfig config = nothing();
  config.iou_crop = 1;
  const Augmenter crops(config, 1, 0), plain(nothing(), 1, 0);
  AugmentScratch scratch;
  const std::vector<AugmentSource> sources{{noise(50, 40, 2), {}}};
  for (int64_t position = 0; position < 20; ++position)
    EXPECT_EQ(augmented(crops, {0, position}, sources, {64, 64}, scratch).planes,
              augmented(plain, {0, position}, sources, {64, 64}, scratch).planes);
}

TEST(Augmenter, AllBoxesMayBeDropped) {
  const Augmenter augmenter(nothing(), 1, 0);
  AugmentScratch scratch;
  const AugmentSource source{noise(50, 40, 3),
                             {{{5, 10, 5.9, 30}, 0}, {{5, 10, 20, 10.5}, 1}, {{7, 7, 7, 7}, 2}}};
  EXPECT_TRUE(augmented(augmenter, {0, 0}, {source}, {64, 64}, scratch).boxes.empty());
  // One pixel is enough, but not when the resize makes less of it.
  const AugmentSource thin{noise(50, 40, 3), {{{5, 10, 6, 30}, 0}}};
  EXPECT_EQ(augmented(augmenter, {0, 0}, {thin}, {64, 64}, scratch).boxes.size(), 1u);
  EXPECT_TRUE(augmented(augmenter, {0, 0}, {thin}, {64, 32}, scratch).boxes.empty());
  // 10.1 + 1 - 10.1 is a little less than 1 in double precision.
  const AugmentSource rounded{noise(50, 40, 3), {{{10.1, 10, 10.1 + 1, 30}, 0}}};
  EXPECT_EQ(augmented(augmenter, {0, 0}, {rounded}, {64, 64}, scratch).boxes.size(), 1u);
}

TEST(Augmenter, AsksForItsPartners) {
  AugmentConfig config = nothing();
  config.mosaic = config.mixup = 1;
  config.mosaic_scale = kNoScale;
  const Augmenter augmenter(config, 1, 0);
  const AugmentPlan plan = augmenter.plan({0, 0}, 10);
  EXPECT_EQ(plan.partners.size(), 7u);  // three, the one blended in, and its three
  EXPECT_TRUE(std::all_of(plan.partners.begin(), plan.partners.end(),
                          [](size_t partner) { return partner < 10; }));
  std::vector<AugmentSource> sources(1, random_source(1));
  std::vector<uint8_t> planes(3 * 32 * 32);
  std::vector<LabelledBox> boxes;
  AugmentScratch scratch;
  EXPECT_THROW(augmenter.apply(plan, sources, {32, 32}, planes.data(), boxes, scratch), Error);
}

}  // namespace
}  // namespace dfine
