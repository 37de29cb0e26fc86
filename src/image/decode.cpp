#include "image/decode.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "image/codecs.h"
#include "image/file_kind.h"

namespace dfine::inline image {
using enum ErrorCode;
namespace {

using codecs::Bytes;

struct Codec {
  ImageFormat format;
  std::string_view name;
  ImageInfo (*probe)(Bytes);
  void (*check)(Bytes);
  void (*decode)(Bytes, const ImageInfo&, const Window& part, Image&);
};

/// A codec that decodes the whole picture whatever part of it matters.
template <void (*kDecode)(Bytes, const ImageInfo&, Image&)>
void whole(Bytes file, const ImageInfo& info, const Window&, Image& image) {
  kDecode(file, info, image);
}

constexpr std::array<Codec, 5> kCodecs{{
    {ImageFormat::kJpeg, "JPEG", codecs::probe_jpeg, codecs::check_jpeg, codecs::decode_jpeg},
    {ImageFormat::kPng, "PNG", codecs::probe_png, codecs::check_png, whole<codecs::decode_png>},
    {ImageFormat::kWebp, "WebP", codecs::probe_webp, codecs::check_webp,
     whole<codecs::decode_webp>},
    {ImageFormat::kBmp, "BMP", codecs::probe_bmp, codecs::check_bmp, whole<codecs::decode_bmp>},
    {ImageFormat::kTiff, "TIFF", codecs::probe_tiff, codecs::check_tiff,
     whole<codecs::decode_tiff>},
}};

bool starts_with(Bytes file, std::string_view magic, size_t offset = 0) {
  return file.size() >= offset + magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin() + static_cast<ptrdiff_t>(offset),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

[[noreturn]] void throw_unknown_format(Bytes file) {
  if (file.empty())
    throw Error(kImageDamaged, "the image file is empty (0 bytes)", "fetch the file again");
  std::string what = "not a JPEG, PNG, WebP, BMP or TIFF file";
  if (const auto kind = file_kind(file)) {
    what += str_cat(": it looks like ", kind->name);
  } else if (starts_with(file, "BM")) {
    what += ": it looks like a damaged BMP image";
  }
  what += "; it begins with the bytes";
  for (uint8_t byte : file.first(std::min<size_t>(file.size(), 8))) {
    char text[4];
    std::snprintf(text, sizeof text, " %02x", byte);
    what += text;
  }
  throw Error(kImageUnsupported, what, "convert it to JPEG or PNG, or fetch it again");
}

const Codec& codec_of(Bytes file) {
  const auto format = image_format(file);
  if (!format) throw_unknown_format(file);
  return kCodecs[static_cast<size_t>(*format)];
}

ImageInfo probe(const Codec& codec, Bytes file) {
  const ImageInfo info = codec.probe(file);
  if (info.width <= 0 || info.height <= 0) {
    throw Error(kImageDamaged,
                str_cat(codec.name, " header gives ", info.width, " x ", info.height, " pixels"),
                "the file is damaged; fetch it again");
  }
  if (static_cast<int64_t>(info.width) * info.height > kMaxImagePixels) {
    throw Error(
        kImageUnsupported,
        str_cat(codec.name, " of ", info.width, " x ", info.height,
                " pixels is larger than the limit of ", with_commas(kMaxImagePixels), " pixels"),
        "scale it down, or cut it into tiles");
  }
  return info;
}

}  // namespace

std::string_view format_name(ImageFormat format) {
  return kCodecs[static_cast<size_t>(format)].name;
}

std::optional<ImageFormat> image_format(std::span<const uint8_t> file) {
  if (starts_with(file, "\xff\xd8")) return ImageFormat::kJpeg;
  if (starts_with(file, "\x89PNG\r\n\x1a\n")) return ImageFormat::kPng;
  if (starts_with(file, "RIFF") && starts_with(file, "WEBP", 8)) return ImageFormat::kWebp;
  if (codecs::is_bmp(file)) return ImageFormat::kBmp;
  if (starts_with(file, {"II*\0", 4}) || starts_with(file, {"MM\0*", 4})) return ImageFormat::kTiff;
  return std::nullopt;
}

ImageInfo probe_image(std::span<const uint8_t> file) {
  return probe(codec_of(file), file);
}

void check_complete(std::span<const uint8_t> file) {
  const Codec& codec = codec_of(file);
  probe(codec, file);
  codec.check(file);
}

Image decode_image(std::span<const uint8_t> file) {
  Image image;
  decode_image(file, image);
  return image;
}

void decode_image(std::span<const uint8_t> file, Image& image) {
  constexpr int kMost = std::numeric_limits<int>::max();
  decode_image(file, image, {0, 0, kMost, kMost});
}

void decode_image(std::span<const uint8_t> file, Image& image, const Window& part) {
  const Codec& codec = codec_of(file);
  const ImageInfo info = probe(codec, file);
  image.reshape(info.width, info.height);
  codec.decode(file, info, intersection(part, {0, 0, info.width, info.height}), image);
}

}  // namespace dfine::inline image
