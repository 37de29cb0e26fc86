#include "image/file_kind.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dfine {
namespace {

std::string kind_of(const std::string& bytes) {
  const std::vector<uint8_t> file(bytes.begin(), bytes.end());
  const auto kind = file_kind(file);
  return kind ? std::string(kind->name) + (kind->image ? "" : ", no image") : "unknown";
}

/// Text with zero bytes in it.
template <size_t kSize>
std::string raw(const char (&text)[kSize]) {
  return {text, kSize - 1};
}

// The first bytes are those that the formats' specifications state.
TEST(FileKind, Images) {
  EXPECT_EQ(kind_of("\xff\xd8\xff\xe0"), "a JPEG image");
  EXPECT_EQ(kind_of("\x89PNG\r\n\x1a\n"), "a PNG image");
  EXPECT_EQ(kind_of(raw("RIFF\x10\0\0\0WEBPVP8 ")), "a WebP image");
  EXPECT_EQ(kind_of("GIF89a"), "a GIF image");
  EXPECT_EQ(kind_of(raw("BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0")), "a BMP image");
  EXPECT_EQ(kind_of(raw("II*\0\x08\0\0\0")), "a TIFF image");
  EXPECT_EQ(kind_of(raw("MM\0*\0\0\0\x08")), "a TIFF image");
  EXPECT_EQ(kind_of(raw("\0\0\0\x1c"
                        "ftypheic\0\0\0\0mif1heic")),
            "a HEIC image");
  EXPECT_EQ(kind_of(raw("\0\0\0\x1c"
                        "ftypmif1\0\0\0\0mif1avif")),
            "an AVIF image")
      << "by a compatible brand";
  EXPECT_EQ(kind_of(raw("\0\0\0\x20"
                        "ftypavif\0\0\0\0avifmif1")),
            "an AVIF image");
  EXPECT_EQ(kind_of(raw("\0\0\0\x0cJXL \r\n\x87\n")), "a JPEG XL image");
  EXPECT_EQ(kind_of("P6\n640 480\n255\n"), "a Netpbm image");
}

TEST(FileKind, OtherFiles) {
  EXPECT_EQ(kind_of(raw("\0\0\0\x18"
                        "ftypmp42\0\0\0\0mp42isom")),
            "an MP4 or QuickTime video, no image");
  EXPECT_EQ(kind_of(raw("\0\0\0\x14"
                        "ftypqt  \0\0\0\0qt  ")),
            "an MP4 or QuickTime video, no image");
  EXPECT_EQ(kind_of(raw("RIFF\x10\0\0\0AVI LIST")), "an AVI video, no image");
  EXPECT_EQ(kind_of("\x1a\x45\xdf\xa3"), "a Matroska or WebM video, no image");
  EXPECT_EQ(kind_of("<!DOCTYPE html>"), "a web page or other text file, no image");
}

TEST(FileKind, TextIsNoImage) {
  EXPECT_EQ(kind_of(""), "unknown");
  EXPECT_EQ(kind_of("BM"), "unknown");
  EXPECT_EQ(kind_of("BMW 320 and other cars, one per line"), "unknown");
  EXPECT_EQ(kind_of("P1 is the first\n"), "unknown");
  EXPECT_EQ(kind_of("0 0.5 0.5 0.2 0.2\n"), "unknown");
}

TEST(FileKind, CutShort) {
  const std::string file =
      raw("\0\0\0\x20"
          "ftypavif\0\0\0\0avifmif1miafMA1B");
  for (size_t length = 0; length < 8; ++length)
    EXPECT_EQ(kind_of(file.substr(0, length)), "unknown") << length;
  for (size_t length = 12; length <= file.size(); ++length)
    EXPECT_EQ(kind_of(file.substr(0, length)), "an AVIF image") << length;
}

}  // namespace
}  // namespace dfine
