#include "image/orient.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace dfine {
namespace {

Image picture(const std::string& letters, int width) {
  Image image(width, static_cast<int>(letters.size()) / width);
  for (size_t k = 0; k < letters.size(); ++k) {
    const auto letter = static_cast<uint8_t>(letters[k]);
    image.pixels[3 * k] = letter;
    image.pixels[3 * k + 1] = static_cast<uint8_t>(letter + 100);
    image.pixels[3 * k + 2] = static_cast<uint8_t>(255 - letter);
  }
  return image;
}

// EXIF 2.32, tag 0x0112: "the 0th row is at the ... of the image, the 0th column at the ..."; the
// same as Pillow's ImageOps.exif_transpose (tests/e2e/predict_test.py).
TEST(Orient, EveryOrientation) {
  const Image stored = picture("ABCDEF", 2);  // rows AB, CD, EF
  struct Expected {
    const char* letters;
    int width;
  };
  const std::array<Expected, 8> expected{{{"ABCDEF", 2},
                                          {"BADCFE", 2},
                                          {"FEDCBA", 2},
                                          {"EFCDAB", 2},
                                          {"ACEBDF", 3},
                                          {"ECAFDB", 3},
                                          {"FDBECA", 3},
                                          {"BDFACE", 3}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const auto& [letters, width] = expected[static_cast<size_t>(orientation - 1)];
    const Image wanted = picture(letters, width), found = upright(stored, orientation);
    EXPECT_EQ(found.width, wanted.width) << orientation;
    EXPECT_EQ(found.height, wanted.height) << orientation;
    EXPECT_EQ(found.pixels, wanted.pixels) << orientation;
  }
}

}  // namespace
}  // namespace dfine
