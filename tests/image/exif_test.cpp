#include "image/exif.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dfine {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes text(const std::string& letters) {
  return {letters.begin(), letters.end()};
}

/// A TIFF structure (TIFF 6.0, section 2) whose directory has a maker's name and the orientation.
Bytes tiff(bool big_endian, uint8_t orientation, uint8_t type = 3) {
  const uint8_t high = type == 4 ? 0 : orientation,
                low = type == 4 ? orientation : 0;  // of a LONG in big endian
  if (big_endian)
    return join({text("MM"),
                 {0, 42, 0, 0, 0, 8, 0, 2},
                 {1, 15, 0, 2, 0, 0, 0, 3, 'a', 'b', 0, 0},
                 {1, 18, 0, type, 0, 0, 0, 1, 0, high, 0, low},
                 {0, 0, 0, 0}});
  return join({text("II"),
               {42, 0, 8, 0, 0, 0, 2, 0},
               {15, 1, 2, 0, 3, 0, 0, 0, 'a', 'b', 0, 0},
               {18, 1, type, 0, 1, 0, 0, 0, orientation, 0, 0, 0},
               {0, 0, 0, 0}});
}

const Bytes kMark{'E', 'x', 'i', 'f', 0, 0};

Bytes jpeg(const Bytes& exif) {
  const Bytes segment = join({kMark, exif});
  return join({{0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF},
               {0xFF, 0xE1, 0, static_cast<uint8_t>(segment.size() + 2)},
               segment,
               {0xFF, 0xDA, 0, 2}});
}

Bytes png(const Bytes& exif) {
  return join({text("\x89PNG\r\n\x1a\n"),
               {0, 0, 0, 1},
               text("tEXt"),
               {9, 0, 0, 0, 0},
               {0, 0, 0, static_cast<uint8_t>(exif.size())},
               text("eXIf"),
               exif,
               {0, 0, 0, 0}});
}

Bytes webp(const Bytes& exif) {
  return join({text("RIFF"),
               {0, 0, 0, 0},
               text("WEBPVP8 "),
               {1, 0, 0, 0, 7, 0},
               text("EXIF"),
               {static_cast<uint8_t>(exif.size()), 0, 0, 0},
               exif});
}

TEST(Exif, OrientationOfEveryFormatAndByteOrder) {
  for (const bool big_endian : {false, true}) {
    for (uint8_t value = 1; value <= 8; ++value) {
      const Bytes exif = tiff(big_endian, value);
      EXPECT_EQ(exif_orientation(jpeg(exif)), value);
      EXPECT_EQ(exif_orientation(png(exif)), value);
      EXPECT_EQ(exif_orientation(webp(exif)), value);
      EXPECT_EQ(exif_orientation(webp(join({kMark, exif}))), value)
          << "some writers put the mark there too";
    }
    EXPECT_EQ(exif_orientation(jpeg(tiff(big_endian, 0))), 1);
    EXPECT_EQ(exif_orientation(jpeg(tiff(big_endian, 9))), 1);
    EXPECT_EQ(exif_orientation(jpeg(tiff(big_endian, 6, 2))), 1) << "of another type";
  }
}

/// TIFF 6.0, section 8: the tag of EXIF data comes from there.
TEST(Exif, OrientationOfATiffFile) {
  for (uint8_t value = 1; value <= 8; ++value) {
    EXPECT_EQ(exif_orientation(tiff(false, value)), value);
    EXPECT_EQ(exif_orientation(tiff(true, value)), value);
    // A LONG instead of the SHORT of the standard: Pillow's exif_transpose() takes it too.
    EXPECT_EQ(exif_orientation(tiff(false, value, 4)), value);
    EXPECT_EQ(exif_orientation(tiff(true, value, 4)), value);
  }
}

TEST(Exif, DamagedDataAreUpright) {
  EXPECT_EQ(exif_orientation({}), 1);
  for (const Bytes& whole : {jpeg(tiff(true, 6)), png(tiff(false, 6)), webp(tiff(true, 6))}) {
    for (size_t length = 0; length < whole.size(); ++length) {
      const int found = exif_orientation(std::span(whole).first(length));
      EXPECT_TRUE(found == 1 || found == 6);
    }
    for (size_t at = 0; at < whole.size(); ++at) {
      for (const uint8_t value : {0x00, 0x01, 0x7F, 0xFF}) {
        Bytes damaged = whole;
        damaged[at] = value;
        const int found = exif_orientation(damaged);
        EXPECT_TRUE(found >= 1 && found <= 8);
      }
    }
  }
}

}  // namespace
}  // namespace dfine
