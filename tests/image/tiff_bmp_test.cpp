// What is refused of BMP and TIFF files, and why. Their pixels are checked against Pillow by
// decode_test.py, damage to the samples by decode_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "image/decode.h"
#include "samples.h"

namespace dfine {
using enum ErrorCode;
namespace {

using Bytes = std::vector<uint8_t>;

void put(Bytes& out, uint32_t value, size_t bytes) {
  for (size_t k = 0; k < bytes; ++k) out.push_back(static_cast<uint8_t>(value >> 8 * k));
}

/// A BMP file of 2 x 2 pixels and `bits` per pixel, all of them 0 (BITMAPINFOHEADER).
struct Bmp {
  int32_t width = 2, height = 2;
  uint32_t bits = 24, compression = 0, pixels_at = 54;
  std::vector<uint32_t> masks{};

  Bytes bytes() const {
    Bytes out{'B', 'M'};
    put(out, 0, 8);
    put(out, pixels_at, 4);
    put(out, 40, 4);
    put(out, static_cast<uint32_t>(width), 4);
    put(out, static_cast<uint32_t>(height), 4);
    put(out, 1, 2);
    put(out, bits, 2);
    put(out, compression, 4);
    for (int k = 0; k < 5; ++k) put(out, 0, 4);
    for (const uint32_t mask : masks) put(out, mask, 4);
    out.resize(out.size() + 64);
    return out;
  }
};

/// A TIFF file (TIFF 6.0, sections 2 and 8) of one strip; numbers are 16 bits.
struct Tiff {
  std::map<uint16_t, uint32_t> tags{{256, 2}, {257, 2}, {258, 8},      {259, 1}, {262, 1},
                                    {273, 8}, {277, 1}, {278, 0x7FFF}, {279, 4}};
  uint32_t next = 0;

  Bytes bytes() const {
    Bytes out{'I', 'I', 42, 0};
    put(out, 40, 4);
    out.resize(40);  // 32 bytes of pixels
    put(out, static_cast<uint32_t>(tags.size()), 2);
    for (const auto& [tag, value] : tags) {
      put(out, tag, 2);
      put(out, 3, 2);
      put(out, 1, 4);
      put(out, value, 4);
    }
    put(out, next, 4);
    return out;
  }
  Tiff with(uint16_t tag, uint32_t value) const {
    Tiff changed = *this;
    changed.tags[tag] = value;
    return changed;
  }
};

/// Every entry point refuses the file, for the same reason, without a word on stderr.
void expect_refused(ErrorCode code, const Bytes& file, const std::vector<std::string>& values) {
  testing::internal::CaptureStderr();
  EXPECT_TRUE(raises(code, [&] { probe_image(file); }, values));
  EXPECT_TRUE(raises(code, [&] { check_complete(file); }, values));
  EXPECT_TRUE(raises(code, [&] { decode_image(file); }, values));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

void expect_cut(const Bytes& file, const std::vector<std::string>& values) {
  EXPECT_TRUE(raises(kImageDamaged, [&] { check_complete(file); }, values));
  EXPECT_TRUE(raises(kImageDamaged, [&] { decode_image(file); }, values));
}

TEST(Bmp, TheBaseOfTheseTestsIsSound) {
  EXPECT_EQ(decode_image(Bmp{}.bytes()).pixels, Bytes(12, 0));
  EXPECT_EQ(decode_image(Bmp{.height = -2}.bytes()).height, 2);
}

TEST(Bmp, RefusesWhatItCannotRead) {
  expect_refused(kImageUnsupported, Bmp{.bits = 8, .compression = 1}.bytes(), {"method 1"});
  expect_refused(kImageUnsupported, Bmp{.bits = 12}.bytes(), {"12 bits"});
  expect_refused(kImageUnsupported, Bmp{.compression = 3, .masks = {1, 2, 4}}.bytes(), {"24 bits"});
  expect_refused(kImageUnsupported,
                 Bmp{.bits = 32, .compression = 3, .masks = {0x3FF00000, 0xFFC00, 0x3FF}}.bytes(),
                 {"8 bits"});
  expect_refused(kImageDamaged,
                 Bmp{.bits = 32, .compression = 3, .masks = {0xF0F, 0xF0, 0xF000}}.bytes(), {});
}

TEST(Bmp, RefusesSizesThatCannotBe) {
  expect_refused(kImageDamaged, Bmp{.width = 0}.bytes(), {"0 x 2"});
  expect_refused(kImageDamaged, Bmp{.width = -2}.bytes(), {"-2 x 2"});
  expect_refused(kImageUnsupported, Bmp{.width = 100'000, .height = 100'000}.bytes(),
                 {"100000 x 100000"});
  expect_refused(kImageDamaged, Bmp{.height = INT32_MIN}.bytes(), {"2 x 2147483648"});
}

TEST(Bmp, RefusesPixelsOutsideOfTheFile) {
  expect_cut(Bmp{.pixels_at = 20}.bytes(), {"byte 20"});
  expect_cut(Bmp{.height = 2000}.bytes(), {"BMP", "118", "16052"});  // 54 + 1999 * 8 + 6
  Bmp palette{.bits = 8, .pixels_at = 54};                           // no palette before the pixels
  EXPECT_TRUE(
      raises(kImageDamaged, [&] { decode_image(palette.bytes()); }, "colour 0", "0 colours"));
}

TEST(Tiff, TheBaseOfTheseTestsIsSound) {
  EXPECT_EQ(decode_image(Tiff{}.bytes()).pixels, Bytes(12, 0));
}

TEST(Tiff, RefusesWhatItCannotRead) {
  expect_refused(kImageUnsupported, Tiff{}.with(258, 16).bytes(), {"16 bits"});
  expect_refused(kImageUnsupported, Tiff{}.with(258, 1).bytes(), {"1 bit"});
  expect_refused(kImageUnsupported, Tiff{}.with(258, 32).with(339, 3).bytes(), {"floating-point"});
  expect_refused(kImageUnsupported, Tiff{}.with(339, 2).bytes(), {"signed"});
  expect_refused(kImageUnsupported, Tiff{}.with(262, 5).bytes(), {"CMYK"});
  expect_refused(kImageUnsupported, Tiff{}.with(262, 6).with(277, 3).bytes(), {"YCbCr", "JPEG"});
  expect_refused(kImageUnsupported, Tiff{}.with(262, 8).bytes(), {"kind 8"});
  expect_refused(kImageUnsupported, Tiff{}.with(259, 50000).bytes(),
                 {"method 50000"});  // Zstandard
  expect_refused(kImageUnsupported, Tiff{}.with(259, 6).bytes(),
                 {"method 6"});  // JPEG of TIFF 6.0 itself
  expect_refused(kImageUnsupported, Tiff{}.with(254, 1).bytes(),
                 {"preview"});  // as NEF and DNG files do
  Tiff unnamed;
  unnamed.tags.erase(262);
  expect_refused(kImageUnsupported, unnamed.bytes(), {"PhotometricInterpretation"});
}

TEST(Tiff, RefusesSeveralPages) {
  Tiff pages;
  pages.next = 40;
  expect_refused(kImageUnsupported, pages.bytes(), {"pages"});
}

TEST(Tiff, RefusesDecompressionBombs) {
  expect_refused(kImageUnsupported, Tiff{}.with(256, 60'000).with(257, 60'000).bytes(),
                 {"60000 x 60000"});
  Tiff tiles = Tiff{}.with(322, 65'520).with(323, 65'520).with(324, 8).with(325, 4);
  for (const uint16_t strip : {273, 278, 279}) tiles.tags.erase(strip);
  const Caught error = catch_error([&] { decode_image(tiles.bytes()); });
  EXPECT_TRUE(error.is(kImageUnsupported, "tiles", "65520 x 65520"));
}

TEST(Tiff, RefusesStripsOutsideOfTheFile) {
  expect_cut(Tiff{}.with(273, 200).bytes(), {"154", "strip 0", "1", "byte 204"});
  Tiff without_size =
      Tiff{}.with(273, 152);  // as old programs wrote them: libtiff works the size out
  without_size.tags.erase(279);
  expect_cut(without_size.bytes(), {"142", "strip 0", "1", "byte 156"});
}

/// The end of a strip's JPEG data is missing although the file is whole: libjpeg would paint the
/// rest grey.
TEST(Tiff, DamagedJpegDataAreAnError) {
  Bytes file = read_sample("jpeg.tif");
  constexpr std::array<uint8_t, 2> kScan{0xFF, 0xDA};
  const auto scan = std::search(file.begin(), file.end(), kScan.begin(), kScan.end());
  ASSERT_NE(scan, file.end());
  std::fill(scan + 40, scan + 60, uint8_t{0xFF});
  EXPECT_THROW(decode_image(file), Error);
}

}  // namespace
}  // namespace dfine
