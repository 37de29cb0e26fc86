// Closed forms, and that the processor-specific loops give what the portable ones do.
// tests/augment/ops_test.py compares with torchvision.
#include "image/photometric.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "image/blend.h"
#include "image/photometric_kernels.h"
#include "image/rotate.h"

namespace dfine {
namespace {

using Bytes = std::vector<uint8_t>;

Image noise(int width, int height, uint64_t key) {
  CounterRandom random(5, Stream::kTest, key);
  Image image(width, height);
  for (uint8_t& byte : image.pixels) byte = static_cast<uint8_t>(random.below(256));
  for (size_t i = 0; i + 2 < image.pixels.size(); i += 15)
    image.pixels[i + 1] = image.pixels[i + 2] = image.pixels[i];  // grey ones too
  return image;
}

Image one_pixel(uint8_t red, uint8_t green, uint8_t blue) {
  Image image(1, 1);
  image.pixels = {red, green, blue};
  return image;
}

Bytes distorted(Image image, const Photometric& how) {
  distort_colours(image, how, {0, 0, image.width, image.height});
  return image.pixels;
}

TEST(PhotometricKernels, BestEqualsPortable) {
  const ColourPass passes[] = {{},
                               {.gain = 1.12F},
                               {.gain = 0.5F, .base = 101.25F},
                               {.gain = 1.5F, .base = 99.5F, .saturation = 0.6F, .hue = 0.05F},
                               {.saturation = 1.37F},
                               {.hue = -0.5F},
                               {.gain = 0.9F, .hue = 0.031F}};
  for (const ColourPass& pass : passes) {
    for (int width : {1, 7, 8, 9, 10, 11, 16, 18, 333}) {
      Image portable = noise(width, 1, static_cast<uint64_t>(width)), best = portable;
      const auto pixels = static_cast<size_t>(width);
      Image unsummed = best;
      EXPECT_EQ(portable_photometric_kernels().apply_and_sum(pass, portable.pixels.data(), pixels),
                best_photometric_kernels().apply_and_sum(pass, best.pixels.data(), pixels));
      best_photometric_kernels().apply(pass, unsummed.pixels.data(), pixels);
      EXPECT_EQ(portable.pixels, unsummed.pixels) << width;
      EXPECT_EQ(portable.pixels, best.pixels) << width;
    }
  }
}

/// Every set of loops that this processor can run, on rows inside a picture; the sum too, and
/// nothing between the rows changes.
TEST(PhotometricKernels, AllGiveTheSameRows) {
  CounterRandom random(6, Stream::kTest, 0);
  const auto maybe = [&](float otherwise, float low, float high) {
    return random.uniform() < 0.5F ? otherwise : low + (high - low) * random.uniform();
  };
  for (uint64_t trial = 0; trial < 200; ++trial) {
    const ColourPass pass{.gain = maybe(1, 0, 2),
                          .base = maybe(0, 0, 255),
                          .saturation = maybe(1, 0, 2),
                          .hue = maybe(0, -0.5F, 0.5F)};
    const Image before = noise(1 + static_cast<int>(random.below(120)), 5, trial);
    const size_t left = random.below(static_cast<uint64_t>(before.width)),
                 width = 1 + random.below(static_cast<uint64_t>(before.width) - left);
    const auto rows_of = [&](Image& image) {
      return PixelRows{image.row(1) + 3 * left, width, 3, image.row_bytes()};
    };
    Image expected = before;
    const uint64_t sum = portable_photometric_kernels().rows_and_sum(pass, rows_of(expected));
    for (const PhotometricKernels* kernels : usable_photometric_kernels()) {
      Image summed = before, plain = before;
      EXPECT_EQ(kernels->rows_and_sum(pass, rows_of(summed)), sum) << trial;
      kernels->rows(pass, rows_of(plain));
      EXPECT_EQ(summed.pixels, expected.pixels) << trial;
      EXPECT_EQ(plain.pixels, expected.pixels) << trial;
    }
  }
}

/// A fifth of all colours: no rounding of a loop differs from the others.
TEST(PhotometricKernels, AllGiveTheSameColours) {
  constexpr size_t kRow = 4096;
  const ColourPass passes[] = {{.gain = 0.93F},
                               {.gain = 1.37F, .base = 117.34F},
                               {.saturation = 0.61F},
                               {.hue = 0.037F},
                               {.gain = 1.1F, .saturation = 1.43F, .hue = -0.049F}};
  for (const ColourPass& pass : passes) {
    for (uint32_t begin = 0; begin < 1U << 24; begin += 5 * kRow) {
      Bytes colours;
      for (uint32_t colour = begin; colour < begin + kRow; ++colour)
        for (const uint32_t shift : {0U, 8U, 16U})
          colours.push_back(static_cast<uint8_t>(colour >> shift));
      Bytes expected = colours;
      const uint64_t sum =
          portable_photometric_kernels().apply_and_sum(pass, expected.data(), kRow);
      for (const PhotometricKernels* kernels : usable_photometric_kernels()) {
        Bytes found = colours;
        ASSERT_EQ(kernels->apply_and_sum(pass, found.data(), kRow), sum);
        ASSERT_EQ(found, expected);
      }
    }
  }
}

TEST(Photometric, BrightnessIsAFactor) {
  EXPECT_EQ(distorted(one_pixel(10, 101, 200), {.brightness = 1.5F}), (Bytes{15, 151, 255}));
  EXPECT_EQ(distorted(one_pixel(10, 101, 200), {.brightness = 0.0F}), (Bytes{0, 0, 0}));
}

/// Grey of (100, 100, 100) is 99.99 cut to 99: the weights add up to 0.9999.
TEST(Photometric, SaturationAndContrastMoveAwayFromGrey) {
  EXPECT_EQ(distorted(one_pixel(100, 100, 100), {.saturation = 0.0F}), (Bytes{99, 99, 99}));
  EXPECT_EQ(distorted(one_pixel(200, 0, 0), {.saturation = 0.5F}),
            (Bytes{129, 29, 29}));  // grey 59
  EXPECT_EQ(distorted(one_pixel(200, 0, 0), {.contrast = 0.5F}),
            (Bytes{129, 29, 29}));  // the only pixel's grey is the mean
}

TEST(Photometric, HueTurnsTheColourCircle) {
  EXPECT_EQ(distorted(one_pixel(200, 0, 0), {.hue = 0.5F}), (Bytes{0, 200, 200}));
  EXPECT_EQ(distorted(one_pixel(50, 200, 50), {.hue = 0.25F}),
            (Bytes{50, 125, 200}));  // from green halfway past cyan
  EXPECT_EQ(distorted(one_pixel(77, 77, 77), {.hue = 0.2F}), (Bytes{77, 77, 77}));
}

TEST(Photometric, APartHasTheContrastOfTheWhole) {
  for (const bool first : {false, true}) {
    const Photometric how{.brightness = 0.9F,
                          .contrast = 1.4F,
                          .contrast_first = first,
                          .saturation = 0.7F,
                          .hue = 0.04F};
    Image whole = noise(61, 40, 1), part = whole;
    distort_colours(whole, how, {0, 0, 61, 40});
    const Window window{13, 7, 30, 20};
    distort_colours(part, how, window);
    for (int y = window.top; y < window.bottom(); ++y)
      for (int x = 3 * window.left; x < 3 * window.right(); ++x)
        ASSERT_EQ(part.row(y)[x], whole.row(y)[x]);
  }
}

TEST(Rotate, ByQuartersCounterClockwise) {
  Image image(3, 2);  // 0 1 2 / 3 4 5
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i / 3);
  const Bytes expected[] = {
      {0, 1, 2, 3, 4, 5}, {2, 5, 1, 4, 0, 3}, {5, 4, 3, 2, 1, 0}, {3, 0, 4, 1, 5, 2}};
  for (int turns = 0; turns < 4; ++turns) {
    Image out;
    rotate_quarters(image, {0, 0, 3, 2}, turns, out);
    EXPECT_EQ(out.width, turns % 2 == 1 ? 2 : 3);
    Bytes reds;
    for (size_t i = 0; i < out.pixels.size(); i += 3) reds.push_back(out.pixels[i]);
    EXPECT_EQ(reds, expected[turns]) << turns;
  }
  Image corner;
  rotate_quarters(image, {1, 0, 2, 1}, 1, corner);
  EXPECT_EQ(corner.pixels, (Bytes{2, 2, 2, 1, 1, 1}));
}

TEST(Blend, RoundsToNearest) {
  for (const double weight : {0.0, 0.25, 0.45, 0.5, 0.55, 1.0}) {
    for (int a = 0; a < 256; a += 5) {
      Bytes into(256, static_cast<uint8_t>(a)), other(256);
      for (size_t b = 0; b < 256; ++b) other[b] = static_cast<uint8_t>(b);
      blend(into.data(), other.data(), 256, weight);
      for (int b = 0; b < 256; ++b)
        EXPECT_NEAR(into[static_cast<size_t>(b)], a * weight + b * (1 - weight),
                    0.5 + 255.0 / 65536);
    }
  }
}

}  // namespace
}  // namespace dfine
