// Headers, refusals and damage. That the pixels are right is checked against Pillow by
// decode_test.py.
#include "image/decode.h"

#include <gtest/gtest.h>

#include <map>

#include "core/random.h"
#include "samples.h"

namespace dfine {
using enum ErrorCode;
namespace {

using Bytes = std::vector<uint8_t>;

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

/// Offset of the frame header's height in a baseline JPEG file.
size_t jpeg_height_at(const Bytes& file) {
  for (size_t i = 0; i + 1 < file.size(); ++i) {
    if (file[i] == 0xFF && file[i + 1] == 0xC0) return i + 5;
  }
  throw Error(ErrorCode::kInternal, "no frame header");
}

/// By every entry point, for the same reason.
void expect_refused(ErrorCode code, const Bytes& file, const std::vector<std::string>& values) {
  EXPECT_TRUE(raises(code, [&] { probe_image(file); }, values));
  EXPECT_TRUE(raises(code, [&] { check_complete(file); }, values));
  EXPECT_TRUE(raises(code, [&] { decode_image(file); }, values));
}

TEST(Probe, TellsFormatSizeAndChannels) {
  const std::map<std::string, std::pair<ImageFormat, int>> expected{
      {"baseline.jpg", {ImageFormat::kJpeg, 3}},
      {"progressive.jpg", {ImageFormat::kJpeg, 3}},
      {"restarts.jpg", {ImageFormat::kJpeg, 3}},
      {"grey.jpg", {ImageFormat::kJpeg, 1}},
      {"cmyk.jpg", {ImageFormat::kJpeg, 4}},
      {"palette.png", {ImageFormat::kPng, 3}},
      {"alpha.png", {ImageFormat::kPng, 4}},
      {"grey16.png", {ImageFormat::kPng, 1}},
      {"interlaced.png", {ImageFormat::kPng, 3}},
      {"lossy.webp", {ImageFormat::kWebp, 3}},
      {"lossy_alpha.webp", {ImageFormat::kWebp, 4}},
      {"lossless_alpha.webp", {ImageFormat::kWebp, 4}},
      {"colour.bmp", {ImageFormat::kBmp, 3}},
      {"palette.bmp", {ImageFormat::kBmp, 3}},
      {"lzw.tif", {ImageFormat::kTiff, 3}},
      {"jpeg.tif", {ImageFormat::kTiff, 3}},
      {"tiles.tif", {ImageFormat::kTiff, 4}}};
  ASSERT_EQ(expected.size(), kSamples.size());
  for (const auto& [name, format_and_channels] : expected) {
    const ImageInfo info = probe_image(read_sample(name));
    EXPECT_EQ(info.format, format_and_channels.first) << name;
    EXPECT_EQ(info.channels, format_and_channels.second) << name;
    EXPECT_EQ(info.width, 40) << name;
    EXPECT_EQ(info.height, 28) << name;
  }
}

TEST(Probe, NeedsTheHeaderAlone) {
  const Bytes png = read_sample("alpha.png");
  EXPECT_EQ(probe_image(std::span(png).first(8 + 25)).width, 40);  // signature and header chunk
  const Bytes jpeg = read_sample("baseline.jpg");
  EXPECT_EQ(probe_image(std::span(jpeg).first(jpeg.size() / 2 + 300)).height, 28);
}

TEST(Probe, NamesWhatAFileIsInstead) {
  EXPECT_TRUE(raises(kImageDamaged, [] { probe_image({}); }, "0 bytes"));
  const std::map<std::string, std::string> cases{
      {"GIF89a....", "GIF"},
      {"<!DOCTYPE html>", "web page"},
      {"version https://git-lfs.github.com/spec/v1\n", "Git LFS"},
      {std::string("\0\0\0\x20"
                   "ftypavif",
                   12),
       "AVIF"},
      {std::string("\0\0\0\x18"
                   "ftypheic",
                   12),
       "HEIC"},
      {"BM123456", "BMP"},
      {std::string("II+\0\x08\0\0\0", 8), "BigTIFF"},
      {"x", "78"}};
  for (const auto& [content, expected] : cases) {
    const Bytes file = bytes_of(content);
    expect_refused(kImageUnsupported, file, {expected});
  }
}

TEST(Probe, RefusesAnimations) {
  const Bytes file = read_sample("animated.webp");
  EXPECT_TRUE(raises(kImageUnsupported, [&] { probe_image(file); }, "WebP"));
  EXPECT_TRUE(raises(kImageUnsupported, [&] { decode_image(file); }, "WebP"));
}

TEST(Probe, RefusesDecompressionBombsBeforeTakingMemory) {
  Bytes file = read_sample("baseline.jpg");
  std::fill_n(file.begin() + static_cast<ptrdiff_t>(jpeg_height_at(file)), 4, uint8_t{0xFF});
  expect_refused(kImageUnsupported, file, {"65535 x 65535", "178,956,970"});
}

TEST(Probe, RefusesAFrameWithoutPixels) {
  Bytes file = read_sample("baseline.jpg");
  std::fill_n(file.begin() + static_cast<ptrdiff_t>(jpeg_height_at(file)), 2, uint8_t{0});
  EXPECT_TRUE(raises(kImageDamaged, [&] { probe_image(file); }, "40 x 0"));
  EXPECT_TRUE(raises(kImageDamaged, [&] { decode_image(file); }, "40 x 0"));
}

TEST(Probe, RefusesAnOddNumberOfColourComponents) {
  Bytes file = read_sample("baseline.jpg");
  file[jpeg_height_at(file) + 4] = 2;
  EXPECT_TRUE(raises(kImageUnsupported, [&] { probe_image(file); }, "2 colour"));
}

/// Table B.1 of T.81: the kinds of frames by the low half of their marker; 4, 8 and 12 are no
/// frames. libjpeg-turbo reads no others.
TEST(Probe, RefusesJpegFramesThatAreNotDecoded) {
  const Bytes sound = read_sample("baseline.jpg");
  const size_t height_at = jpeg_height_at(sound);
  for (const int type : {3, 5, 6, 7, 11, 13, 14, 15}) {
    Bytes file = sound;
    file[height_at - 4] = static_cast<uint8_t>(0xC0 + type);
    expect_refused(kImageUnsupported, file,
                   {"SOF" + std::to_string(type), type % 4 == 3 ? "lossless" : "hierarchical"});
  }
  Bytes extended = sound;
  extended[height_at - 4] = 0xC1;  // whatever is baseline is extended sequential too
  EXPECT_EQ(decode_image(extended).pixels, decode_image(sound).pixels);
  for (const int bits : {0, 2, 12, 16}) {
    Bytes file = extended;
    file[height_at - 1] = static_cast<uint8_t>(bits);
    EXPECT_TRUE(
        raises(kImageUnsupported, [&] { check_complete(file); }, std::to_string(bits) + " bits"));
  }
}

TEST(CheckComplete, AcceptsWholeFiles) {
  for (const std::string& name : kSamples)
    EXPECT_NO_THROW(check_complete(read_sample(name))) << name;
}

TEST(CheckComplete, AcceptsWhatFollowsTheEndOfAJpeg) {
  Bytes file = read_sample("baseline.jpg");
  const Image image = decode_image(file);
  for (const Bytes& tail : {Bytes(100, 0), read_sample("grey.jpg")}) {
    Bytes longer = file;
    longer.insert(longer.end(), tail.begin(), tail.end());
    EXPECT_NO_THROW(check_complete(longer));
    EXPECT_EQ(decode_image(longer).pixels, image.pixels);
  }
}

TEST(CheckComplete, NamesADamagedPngChunk) {
  Bytes file = read_sample("palette.png");
  file[file.size() / 2] ^= 1;
  EXPECT_TRUE(raises(kImageDamaged, [&] { check_complete(file); }, "IDAT"));
}

TEST(Decode, UsesTheMemoryItIsGiven) {
  Image image(200, 100);
  const uint8_t* const memory = image.pixels.data();
  decode_image(read_sample("baseline.jpg"), image);
  EXPECT_EQ(image.width, 40);
  EXPECT_EQ(image.height, 28);
  EXPECT_EQ(image.pixels.size(), 40u * 28 * 3);
  EXPECT_EQ(image.pixels.data(), memory);
  EXPECT_EQ(image.pixels, decode_image(read_sample("baseline.jpg")).pixels);
}

TEST(Decode, PassesOverStrayBytesBetweenJpegMarkers) {
  const Bytes file = read_sample("baseline.jpg");
  Bytes stray = file;
  stray.insert(stray.end() - 2, {0x12, 0x34, 0x56});  // before the end-of-image marker
  EXPECT_NO_THROW(check_complete(stray));
  EXPECT_EQ(decode_image(stray).pixels, decode_image(file).pixels);
}

/// Every beginning of every file is refused, by the structural check as by the decoder, without a
/// word on stderr.
TEST(Damage, EveryTruncationIsAnError) {
  testing::internal::CaptureStderr();
  for (const std::string& name : kSamples) {
    const Bytes file = read_sample(name);
    for (size_t size = 0; size < file.size(); ++size) {
      const Bytes cut(
          file.begin(),
          file.begin() + static_cast<ptrdiff_t>(size));  // its own memory, for the sanitizers
      EXPECT_THROW(check_complete(cut), Error)
          << name << " cut to " << size << " of " << file.size();
      EXPECT_THROW(decode_image(cut), Error) << name << " cut to " << size << " of " << file.size();
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

/// A download that broke off may leave a file of full length whose end is zero.
TEST(Damage, ZeroedEndsAreErrors) {
  for (const char* name : {"baseline.jpg", "progressive.jpg", "alpha.png", "palette.png"}) {
    Bytes file = read_sample(name);
    std::fill(file.begin() + static_cast<ptrdiff_t>(file.size() * 3 / 4), file.end(), uint8_t{0});
    EXPECT_THROW(check_complete(file), Error) << name;
    EXPECT_THROW(decode_image(file), Error) << name;
  }
}

/// Random damage gives an Error or a picture of the size the header states; nothing is printed,
/// nothing read out of bounds.
TEST(Damage, RandomBytesDoNoHarm) {
  testing::internal::CaptureStderr();
  int refused = 0, decoded = 0;
  for (size_t s = 0; s < kSamples.size(); ++s) {
    const Bytes file = read_sample(kSamples[s]);
    for (uint32_t round = 0; round < 500; ++round) {
      CounterRandom random(17, Stream::kTest, s, round);
      Bytes damaged = file;
      for (uint64_t flips = 1 + random.below(6); flips > 0; --flips) {
        damaged[random.below(damaged.size())] = static_cast<uint8_t>(random.below(256));
      }
      if (random.below(4) == 0)
        damaged.erase(damaged.begin() + static_cast<ptrdiff_t>(random.below(damaged.size())));
      try {
        check_complete(damaged);
      } catch (const Error&) {
      }
      try {
        const Image image = decode_image(damaged);
        const ImageInfo info = probe_image(damaged);
        EXPECT_EQ(image.width, info.width);
        EXPECT_EQ(image.height, info.height);
        EXPECT_EQ(image.pixels.size(), image.row_bytes() * static_cast<size_t>(image.height));
        ++decoded;
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(refused, 1000);
  EXPECT_GT(decoded, 100);  // else the damage never got past the headers
}

}  // namespace
}  // namespace dfine
