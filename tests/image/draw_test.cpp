#include "image/draw.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"
#include "image/colour.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/stroke_font.h"

namespace dfine {
namespace {

Colour pixel(const Image& image, int x, int y) {
  const uint8_t* p = image.row(y) + 3 * x;
  return {p[0], p[1], p[2]};
}

TEST(Draw, PutsTheOutlineOnTheBoxAndNothingElsewhere) {
  Image image(300, 300);  // lines of 2 pixels at most around the box, and a shadow of 1
  const DrawnBox box{100, 120, 200, 180, 4, ""};
  draw_boxes(image, std::span(&box, 1));
  const Colour colour = class_colour(4);
  for (const auto& [x, y] :
       {std::pair{100, 150}, {199, 150}, {150, 120}, {150, 179}, {100, 120}, {199, 179}}) {
    EXPECT_EQ(pixel(image, x, y), colour) << x << ", " << y;
  }
  for (int y = 0; y < 300; ++y) {
    for (int x = 0; x < 300; ++x) {
      const bool far_outside = x < 96 || x >= 204 || y < 116 || y >= 184,
                 deep_inside = x >= 104 && x < 196 && y >= 124 && y < 176;
      if (far_outside || deep_inside) {
        ASSERT_EQ(pixel(image, x, y), Colour{}) << x << ", " << y;
      }
    }
  }
}

TEST(Draw, LabelsStandApart) {
  Image single(400, 300), both(400, 300);
  const DrawnBox box{100, 100, 200, 200, 0, "first 0.90"};
  const std::vector<DrawnBox> boxes{box, {100, 100, 200, 200, 1, "second 0.80"}};
  draw_boxes(single, std::span(&box, 1));
  draw_boxes(both, boxes);
  const auto count = [](const Image& image, Colour colour, int first_row, int end_row) {
    int n = 0;
    for (int y = first_row; y < end_row; ++y) {
      for (int x = 0; x < image.width; ++x) n += pixel(image, x, y) == colour;
    }
    return n;
  };
  // The first label lies above the box and is left whole, the second goes below.
  EXPECT_GT(count(single, class_colour(0), 0, 95), 0);
  EXPECT_EQ(count(both, class_colour(0), 0, 95), count(single, class_colour(0), 0, 95));
  EXPECT_EQ(count(both, class_colour(1), 0, 95), 0);
  EXPECT_GT(count(both, class_colour(1), 205, 300), 0);
}

TEST(Draw, TakesAnyBoxAndText) {
  constexpr double kInf = std::numeric_limits<double>::infinity(),
                   kNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::string> texts{"",
                                       "plain",
                                       "é日本語🙂",
                                       "\xff\xfe\xc3",
                                       "\xf0\x9f",
                                       std::string(5000, 'W'),
                                       std::string("a\0b\n\t", 5)};
  const std::vector<std::array<double, 4>> corners{
      {-1e9, -1e9, 1e9, 1e9}, {5, 5, 5, 5},         {10, 10, 2, 2},
      {kNan, 0, 1, 1},        {0, 0, kInf, kInf},   {-50, -50, -10, -10},
      {0, 0, 1e300, 3},       {30.4, 20.6, 31, 25}, {1e6, 1e6, 2e6, 2e6}};
  for (const auto& [w, h] : {std::pair{1, 1}, {7, 90}, {64, 48}, {300, 200}}) {
    std::vector<DrawnBox> boxes;
    for (const std::string& text : texts) {
      for (const auto& c : corners)
        boxes.push_back({c[0], c[1], c[2], c[3], static_cast<int>(boxes.size()) - 20, text});
    }
    Image image(w, h);
    draw_boxes(image, boxes);
    EXPECT_EQ(image.pixels.size(), static_cast<size_t>(w * h * 3));
  }
  Image empty;
  draw_boxes(empty, {});
}

TEST(Draw, LeavesOutBoxesThatAreNotThere) {
  Image image(100, 100);
  const std::vector<DrawnBox> boxes{
      {std::nan(""), 0, 50, 50, 0, "a"}, {120, 0, 150, 50, 0, "b"}, {50, 50, 40, 60, 0, "c"}};
  draw_boxes(image, boxes);
  EXPECT_EQ(image.pixels, Image(100, 100).pixels);
}

TEST(Font, FitsTextIntoAWidth) {
  const std::string text = "a long class name 0.87";
  EXPECT_EQ(fit_text(text, 10, text_width(text, 10)), text);
  for (double width : {5.0, 30.0, 60.0, 100.0}) {
    const std::string fitting = fit_text(text, 10, width);
    EXPECT_LE(fitting.empty() ? 0 : text_width(fitting, 10), width);
    if (!fitting.empty()) {
      EXPECT_EQ(fitting, text.substr(0, fitting.size() - 3) + "...");
    }
  }
  EXPECT_EQ(fit_text(text, 10, 1), "");
  EXPECT_DOUBLE_EQ(text_width(text, 20), 2 * text_width(text, 10));
}

/// One box for each character that has no shape, whatever its length in bytes; accents fall away.
TEST(Font, KnowsUtf8) {
  EXPECT_DOUBLE_EQ(text_width("é", 10), text_width("e", 10));
  EXPECT_DOUBLE_EQ(text_width("日本", 10), text_width("\xff\xff", 10));
  EXPECT_DOUBLE_EQ(text_width("🙂", 10), text_width("日", 10));
}

TEST(Font, EveryAsciiCharacterHasItsOwnShape) {
  std::set<std::string> shapes;
  for (char c = '!'; c <= '~'; ++c) {
    Image image(48, 64);
    draw_text(image, std::string(1, c), 4, 44, 30, {255, 255, 255});
    EXPECT_TRUE(shapes.emplace(image.pixels.begin(), image.pixels.end()).second) << c;
  }
  EXPECT_FALSE(shapes.contains(std::string(48 * 64 * 3, '\0')));
}

double linear(uint8_t v) {
  return v <= 10 ? v / 255.0 / 12.92 : std::pow((v / 255.0 + 0.055) / 1.055, 2.4);
}
double luminance(Colour c) {
  return 0.2126 * linear(c.red) + 0.7152 * linear(c.green) + 0.0722 * linear(c.blue);
}

/// WCAG 2.1, success criterion 1.4.3: a contrast of at least 4.5 for text.
TEST(Colours, TextIsReadableOnEveryClassColour) {
  for (int label = -5; label < 400; ++label) {
    const Colour ground = class_colour(label);
    const double a = luminance(ground) + 0.05, b = luminance(text_colour_on(ground)) + 0.05;
    EXPECT_GE(std::max(a, b) / std::min(a, b), 4.5) << label;
  }
}

TEST(Colours, TheFirstClassesAreFarApart) {
  for (int a = 0; a < 12; ++a) {
    for (int b = 0; b < a; ++b) {
      const Colour p = class_colour(a), q = class_colour(b);
      EXPECT_GT(std::hypot(p.red - q.red, p.green - q.green, p.blue - q.blue), 40)
          << a << " and " << b;
    }
  }
}

TEST(Encode, RoundTripsThroughTheDecoder) {
  Image image(61, 43);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(i * i / 97);
  EXPECT_EQ(decode_image(encode_png(image)).pixels, image.pixels);
  const ImageInfo info = probe_image(encode_jpeg(image));
  EXPECT_EQ(info.format, ImageFormat::kJpeg);
  EXPECT_EQ(info.width, 61);
  EXPECT_EQ(info.height, 43);
}

TEST(Encode, RefusesWhatTheFormatsCannotHold) {
  EXPECT_THROW(encode_jpeg(Image{}), Error);
  EXPECT_THROW(encode_png(Image{}), Error);
  EXPECT_THROW(encode_jpeg(Image(65536, 1)), Error);
  EXPECT_THROW(encode_jpeg(Image(4, 4), 101), Error);
}

}  // namespace
}  // namespace dfine
