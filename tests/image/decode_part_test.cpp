// A part of a picture has the pixels that it has in the whole, whatever the file's subsampling.
#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <algorithm>
#include <string>

#include "core/random.h"
#include "image/decode.h"
#include "samples.h"

namespace dfine {
namespace {

using Bytes = std::vector<uint8_t>;

/// Noise on slopes: neighbouring pixels and blocks differ, in colour too.
Image picture(int width, int height, CounterRandom& random) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c)
        image.row(y)[3 * x + c] = static_cast<uint8_t>((x * (3 + c) + y * (5 - c)) % 192 +
                                                       static_cast<int>(random.below(64)));
    }
  }
  return image;
}

Bytes compressed(const Image& image, int subsampling, int quality, int flags) {
  tjhandle handle = tjInitCompress();
  unsigned char* file = nullptr;
  unsigned long size = 0;
  const int failed = tjCompress2(handle, image.pixels.data(), image.width, 0, image.height,
                                 TJPF_RGB, &file, &size, subsampling, quality, flags);
  const Bytes bytes(file, file + (failed ? 0 : size));
  tjFree(file);
  tjDestroy(handle);
  return bytes;
}

void expect_part(const Bytes& file, const Image& whole, const Window& part,
                 const std::string& what) {
  Image image;
  image.reshape(whole.width, whole.height);
  std::ranges::fill(image.pixels, uint8_t{99});
  decode_image(file, image, part);
  ASSERT_EQ(image.width, whole.width);
  ASSERT_EQ(image.height, whole.height);
  const Window seen = intersection(part, {0, 0, whole.width, whole.height});
  for (int y = seen.top; y < seen.bottom(); ++y) {
    for (int x = 3 * seen.left; x < 3 * seen.right(); ++x) {
      ASSERT_EQ(image.row(y)[x], whole.row(y)[x])
          << what << ", part " << part.left << ' ' << part.top << ' ' << part.width << ' '
          << part.height << " at " << x / 3 << ' ' << y;
    }
  }
}

Window random_part(int width, int height, CounterRandom& random) {
  const auto below = [&](int n) {
    return static_cast<int>(random.below(static_cast<uint64_t>(n)));
  };
  const int left = below(width), top = below(height);
  return {left, top, 1 + below(width - left), 1 + below(height - top)};
}

class DecodePart : public testing::TestWithParam<int> {};

TEST_P(DecodePart, HasThePixelsOfTheWhole) {
  const int subsampling = GetParam();
  CounterRandom random(13, Stream::kTest, static_cast<uint64_t>(subsampling));
  std::vector<std::pair<int, int>> sizes{{1, 1},   {7, 90},  {8, 8},    {16, 16}, {17, 33},
                                         {64, 48}, {97, 61}, {160, 31}, {33, 200}};
  for (int i = 0; i < 20; ++i)
    sizes.emplace_back(1 + static_cast<int>(random.below(150)),
                       1 + static_cast<int>(random.below(150)));
  for (const auto& [width, height] : sizes) {
    const Image image = picture(width, height, random);
    for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
      const int quality = 20 + static_cast<int>(random.below(80));
      const Bytes file = compressed(image, subsampling, quality, flags);
      ASSERT_FALSE(file.empty());
      const Image whole = decode_image(file);
      const std::string what =
          std::to_string(width) + " x " + std::to_string(height) + (flags ? ", progressive" : "");
      for (int trial = 0; trial < 40; ++trial)
        expect_part(file, whole, random_part(width, height, random), what);
    }
  }
}

/// Every edge at every place of a block, and the other edges at the picture's.
TEST_P(DecodePart, AtEveryOffset) {
  CounterRandom random(14, Stream::kTest, 0);
  constexpr int kWidth = 150, kHeight = 140;
  const Image image = picture(kWidth, kHeight, random);
  const Bytes file = compressed(image, GetParam(), 85, 0);
  const Image whole = decode_image(file);
  for (int at = 1; at < kHeight; ++at) {
    for (const Window& part :
         {Window{at, 0, kWidth - at, kHeight}, Window{0, at, kWidth, kHeight - at},
          Window{0, 0, at, kHeight}, Window{0, 0, kWidth, at}, Window{at, at, 1, 1},
          Window{at / 2, at / 2, at / 2 + 1, at / 2 + 1}, Window{-5, -9, at + 5, at + 9}})
      expect_part(file, whole, part, "");
  }
}

INSTANTIATE_TEST_SUITE_P(Subsampling, DecodePart,
                         testing::Values(TJSAMP_444, TJSAMP_422, TJSAMP_420, TJSAMP_GRAY,
                                         TJSAMP_440, TJSAMP_411));

/// libjpeg smooths the blocks of a progressive file whose last scans are missing, with the help of
/// the blocks two further on.
TEST_P(DecodePart, WithoutTheLastScans) {
  CounterRandom random(17, Stream::kTest, 0);
  constexpr int kWidth = 170, kHeight = 90;
  Image image = picture(kWidth, kHeight, random);
  for (uint8_t& byte : image.pixels) byte = static_cast<uint8_t>(100 + byte / 8);  // smooth
  const Bytes file = compressed(image, GetParam(), 90, TJFLAG_PROGRESSIVE);
  std::vector<size_t> scans;
  for (size_t i = 0; i + 1 < file.size(); ++i)
    if (file[i] == 0xFF && file[i + 1] == 0xDA) scans.push_back(i);
  ASSERT_GT(scans.size(), 4U);
  size_t decoded = 0;
  for (size_t kept = 1; kept < scans.size(); ++kept) {
    Bytes cut(file.begin(), file.begin() + static_cast<ptrdiff_t>(scans[kept]));
    cut.insert(cut.end(), {0xFF, 0xD9});
    Image whole;
    try {
      decode_image(cut, whole);
    } catch (const Error&) {
      continue;
    }
    ++decoded;
    for (int trial = 0; trial < 100; ++trial)
      expect_part(cut, whole, random_part(kWidth, kHeight, random), std::to_string(kept));
  }
  EXPECT_GT(decoded, 0U);
}

TEST(DecodePartOfSamples, HasThePixelsOfTheWhole) {
  CounterRandom random(15, Stream::kTest, 0);
  for (const std::string& name : kSamples) {
    const Bytes file = read_sample(name);
    const Image whole = decode_image(file);
    for (int trial = 0; trial < 50; ++trial)
      expect_part(file, whole, random_part(whole.width, whole.height, random), name);
    expect_part(file, whole, {100, 100, 5, 5}, name);  // nothing of it
    expect_part(file, whole, {-10, -10, 15, 500}, name);
  }
}

/// Damage that the whole picture shows is an error for any part of it.
TEST(DecodePartOfSamples, DamageAnywhereIsAnError) {
  CounterRandom random(16, Stream::kTest, 0);
  const Image image = picture(120, 90, random);
  for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
    const Bytes file = compressed(image, TJSAMP_420, 80, flags);
    int damaged = 0;
    for (int trial = 0; trial < 400; ++trial) {
      Bytes changed = file;
      if (trial % 2 == 0) {
        changed.resize(300 + random.below(file.size() - 300));
      } else {
        changed[300 + random.below(file.size() - 300)] ^=
            static_cast<uint8_t>(1 + random.below(255));
      }
      const auto fails = [&](const Window& part) {
        Image out;
        try {
          decode_image(changed, out, part);
        } catch (const Error&) {
          return true;
        }
        return false;
      };
      const bool expected = fails({0, 0, 120, 90});
      damaged += expected;
      const Window part = random_part(120, 90, random);
      EXPECT_EQ(fails(part), expected) << trial << ": " << part.left << ' ' << part.top << ' '
                                       << part.width << ' ' << part.height;
    }
    EXPECT_GT(damaged, 200);
  }
}

}  // namespace
}  // namespace dfine
