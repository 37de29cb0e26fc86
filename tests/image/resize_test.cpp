// Closed forms, and that the processor-specific loops give what the portable ones do.
// resize_test.py compares with torchvision.
#include "image/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/random.h"
#include "image/resize_kernels.h"

namespace dfine {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes noise(size_t size, uint64_t key) {
  CounterRandom random(3, Stream::kTest, key);
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.below(256));
  return bytes;
}

Image grey_row(const Bytes& values) {
  Image image(static_cast<int>(values.size()), 1);
  for (size_t i = 0; i < values.size(); ++i)
    std::fill_n(image.pixels.begin() + static_cast<ptrdiff_t>(3 * i), 3, values[i]);
  return image;
}

Bytes red_of(const Image& image) {
  Bytes red;
  for (size_t i = 0; i < image.pixels.size(); i += 3) red.push_back(image.pixels[i]);
  return red;
}

/// Twice as many pixels: centres fall at quarters, so the weights are 3/4 and 1/4.
TEST(Resize, EnlargesByInterpolation) {
  EXPECT_EQ(red_of(resize_antialias(grey_row({0, 100}), 4, 1)), (Bytes{0, 25, 75, 100}));
  Image column = grey_row({0, 100});
  std::swap(column.width, column.height);
  EXPECT_EQ(red_of(resize_antialias(column, 1, 4)), (Bytes{0, 25, 75, 100}));
}

/// Half as many: a triangle over four pixels, distances 3/4, 1/4, 1/4, 3/4, weights 1/8, 3/8, 3/8,
/// 1/8. At the borders the three that exist are scaled to a sum of one: 3/7, 3/7, 1/7.
TEST(Resize, ShrinksWithAWiderTriangle) {
  EXPECT_EQ(red_of(resize_antialias(grey_row({0, 255}), 1, 1)), (Bytes{128}));
  EXPECT_EQ(red_of(resize_antialias(grey_row({70, 140, 210, 0, 0, 0}), 3, 1)),
            (Bytes{120, 96, 0}));  // (210+420+210)/7, (140+630)/8
}

TEST(Resize, LeavesTheSameSizeAlone) {
  Image image(37, 23);
  image.pixels = noise(image.pixels.size(), 1);
  EXPECT_EQ(resize_antialias(image, 37, 23).pixels, image.pixels);
}

TEST(Resize, KeepsAUniformPicture) {
  Image image(31, 17);
  std::fill(image.pixels.begin(), image.pixels.end(), uint8_t{255});
  for (const auto& [w, h] : {std::pair{64, 64}, {5, 40}, {100, 3}, {1, 1}}) {
    const Image resized = resize_antialias(image, w, h);
    EXPECT_TRUE(std::all_of(resized.pixels.begin(), resized.pixels.end(),
                            [](uint8_t v) { return v == 255; }))
        << w << " x " << h;
  }
}

TEST(Resize, WritesPlanesAndMirrorsThem) {
  Image image(50, 20);
  image.pixels = noise(image.pixels.size(), 2);
  for (const auto& [w, h] : {std::pair{64, 32}, {50, 20}, {33, 20}, {50, 41}, {7, 3}}) {
    const Image resized = resize_antialias(image, w, h);
    const auto plane = static_cast<size_t>(w) * static_cast<size_t>(h);
    for (const bool flip : {false, true}) {
      Bytes planes(3 * plane);
      resize_antialias_chw(image, w, h, flip, planes.data());
      for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
          for (size_t c = 0; c < 3; ++c) {
            ASSERT_EQ(planes[c * plane + static_cast<size_t>(y * w + x)],
                      resized.row(y)[3 * (flip ? w - 1 - x : x) + static_cast<int>(c)]);
          }
        }
      }
    }
  }
}

/// The definition: a canvas with the source on it, cut out and resized.
Bytes padded_then_resized(const Image& source, const WindowResize& how) {
  Image canvas(how.window.width, how.window.height);
  std::fill(canvas.pixels.begin(), canvas.pixels.end(), how.fill);
  const Window seen = intersection(how.window, {0, 0, source.width, source.height});
  for (int y = seen.top; y < seen.bottom(); ++y) {
    for (int x = 3 * seen.left; x < 3 * seen.right(); ++x)
      canvas.row(y - how.window.top)[x - 3 * how.window.left] = source.row(y)[x];
  }
  const Image resized = resize_antialias(canvas, how.width, how.height);
  Bytes planes;
  for (const uint8_t channel : how.channels) {
    for (int y = 0; y < how.height; ++y) {
      for (int x = 0; x < how.width; ++x)
        planes.push_back(resized.row(y)[3 * (how.flip ? how.width - 1 - x : x) + channel]);
    }
  }
  return planes;
}

TEST(ResizeWindow, EqualsPaddingCroppingAndResizing) {
  Image image(50, 40);
  image.pixels = noise(image.pixels.size(), 3);
  const std::vector<Window> windows{
      {0, 0, 50, 40},    {10, 5, 20, 30},   {-30, -20, 150, 100}, {40, 30, 30, 40},
      {-10, 3, 30, 20},  {5, -40, 10, 130}, {60, 0, 20, 20},      {0, -30, 50, 30},
      {49, 39, 1, 1},    {-1, -1, 52, 42},  {20, 0, 64, 48},      {-14, -8, 64, 48},
      {-199, 0, 200, 9}, {30, 20, 20, 20},  {50, 40, 7, 7},       {-500, -500, 1000, 1000}};
  for (const Window& window : windows) {
    for (const auto& [w, h] : {std::pair{64, 48}, {20, 30}, {7, 5}, {33, 100}, {1, 1}}) {
      const WindowResize how{.window = window,
                             .width = w,
                             .height = h,
                             .flip = w % 2 == 1,
                             .channels = {2, 0, 1},
                             .fill = 114};
      Bytes planes(static_cast<size_t>(w) * static_cast<size_t>(h) * 3);
      resize_window_chw(image, how, planes.data());
      EXPECT_EQ(planes, padded_then_resized(image, how))
          << window.left << ' ' << window.top << ' ' << window.width << ' ' << window.height
          << " to " << w << ' ' << h;
    }
  }
}

TEST(Resize, RefusesEmptyPictures) {
  EXPECT_THROW(resize_antialias(Image{}, 10, 10), Error);
  EXPECT_THROW(resize_antialias(Image(3, 3), 0, 10), Error);
  EXPECT_THROW(resize_antialias(Image(3, 3), 10, -1), Error);
}

TEST(ResizeKernels, BestEqualsPortableAlongRows) {
  for (int inputs : {1, 2, 3, 5, 16, 33, 200}) {
    for (int outputs : {1, 2, 3, 4, 5, 7, 16, 31, 100, 301}) {
      const AxisWeights axis = triangle_weights(inputs, outputs);
      const Bytes in = noise(static_cast<size_t>(inputs + axis.stride) * 3 + kReadAhead,
                             static_cast<uint64_t>(inputs));
      const size_t size = static_cast<size_t>(outputs) * 3;
      Bytes portable(size), best(size);
      portable_resize_kernels().along_row(axis, in.data(), portable.data());
      best_resize_kernels().along_row(axis, in.data(), best.data());
      EXPECT_EQ(portable, best) << inputs << " to " << outputs;
    }
  }
}

TEST(ResizeKernels, BestEqualsPortableAcrossRows) {
  for (size_t bytes : {1u, 3u, 31u, 32u, 33u, 96u, 255u, 300u}) {
    for (int count : {2, 4, 14}) {
      const auto n = static_cast<size_t>(count);
      std::vector<Bytes> rows;
      std::vector<const uint8_t*> pointers;
      for (size_t k = 0; k < n; ++k) rows.push_back(noise(bytes, k));
      for (const Bytes& row : rows) pointers.push_back(row.data());
      std::vector<int16_t> weights(n, static_cast<int16_t>((1 << 14) / count));
      weights[0] = static_cast<int16_t>(weights[0] + 700);
      Bytes portable(bytes), best(bytes);
      portable_resize_kernels().across_rows(pointers.data(), weights.data(), count, 14, bytes,
                                            portable.data());
      best_resize_kernels().across_rows(pointers.data(), weights.data(), count, 14, bytes,
                                        best.data());
      EXPECT_EQ(portable, best) << bytes << " bytes, " << count << " rows";
    }
  }
}

TEST(ResizeKernels, BestEqualsPortableToPlanes) {
  for (int width : {1, 15, 16, 17, 48, 100}) {
    const auto plane = static_cast<size_t>(width) + 5;
    const Bytes rgb = noise(static_cast<size_t>(width) * 3, 9);
    for (const bool flip : {false, true}) {
      Bytes portable(3 * plane), best(3 * plane);
      const auto planes = [plane](Bytes& bytes) {
        return std::array{bytes.data(), bytes.data() + 2 * plane, bytes.data() + plane};
      };
      portable_resize_kernels().to_planes(rgb.data(), width, flip, planes(portable));
      best_resize_kernels().to_planes(rgb.data(), width, flip, planes(best));
      EXPECT_EQ(portable, best) << width << (flip ? " mirrored" : "");
    }
  }
}

/// Every set of loops that this processor can run. The outputs of the axes lie from far apart to
/// close together in the source. Some are cut off, as windows do.
TEST(ResizeKernels, AllMakeTheSamePlanesOfARow) {
  for (int inputs : {1, 2, 3, 5, 16, 33, 200, 701}) {
    for (int outputs : {1, 2, 3, 5, 15, 16, 17, 31, 64, 100, 301, 640}) {
      AxisWeights axis = triangle_weights(inputs, outputs);
      const int from = outputs / 5, to = outputs - outputs / 7, first = axis.first[size_t(from)];
      keep_outputs(axis, from, to, first);
      const Bytes in = noise(static_cast<size_t>(inputs - first + axis.stride) * 3 + kReadAhead,
                             static_cast<uint64_t>(inputs));
      const auto width = static_cast<size_t>(to - from), plane = width + 5;
      Bytes pixels(3 * width);
      portable_resize_kernels().along_row(axis, in.data(), pixels.data());
      for (const bool flip : {false, true}) {
        Bytes expected(3 * plane);
        for (size_t c = 0; c < 3; ++c) {
          for (size_t x = 0; x < width; ++x)
            expected[c * plane + x] = pixels[3 * (flip ? width - 1 - x : x) + c];
        }
        for (const ResizeKernels* kernels : usable_resize_kernels()) {
          AxisBlocks blocks(axis, flip);
          Bytes planes(3 * plane);
          kernels->along_row_planes(
              blocks, in.data(), {planes.data(), planes.data() + plane, planes.data() + 2 * plane});
          EXPECT_EQ(planes, expected) << inputs << " to " << outputs << (flip ? " mirrored" : "");
        }
      }
    }
  }
}

TEST(ResizeKernels, AllMakeTheSameAcrossRows) {
  for (size_t bytes : {1u, 31u, 32u, 63u, 64u, 65u, 128u, 300u, 640u}) {
    for (int count : {2, 4, 6, 14}) {
      const auto n = static_cast<size_t>(count);
      std::vector<Bytes> rows;
      std::vector<const uint8_t*> pointers;
      for (size_t k = 0; k < n; ++k) rows.push_back(noise(bytes, k + bytes));
      for (const Bytes& row : rows) pointers.push_back(row.data());
      std::vector<int16_t> weights(n, static_cast<int16_t>((1 << 14) / count));
      weights[1] = static_cast<int16_t>(weights[1] + 700);
      Bytes expected(bytes);
      portable_resize_kernels().across_rows(pointers.data(), weights.data(), count, 14, bytes,
                                            expected.data());
      for (const ResizeKernels* kernels : usable_resize_kernels()) {
        Bytes guarded(bytes + 64, 7);  // nothing behind the row is written
        kernels->across_rows(pointers.data(), weights.data(), count, 14, bytes, guarded.data());
        EXPECT_EQ(Bytes(guarded.begin(), guarded.end() - 64), expected) << bytes << ' ' << count;
        EXPECT_EQ(Bytes(guarded.end() - 64, guarded.end()), Bytes(64, 7)) << bytes << ' ' << count;
      }
    }
  }
}

}  // namespace
}  // namespace dfine
