#include "image/exif.h"

#include <algorithm>
#include <string_view>

namespace dfine::inline image {
namespace {

using Bytes = std::span<const uint8_t>;

/// Reads numbers of either byte order; what lies outside of the bytes reads as zero.
struct Numbers {
  Bytes bytes;
  bool big_endian = true;

  uint32_t read(size_t at, size_t size) const {
    if (at > bytes.size() || size > bytes.size() - at) return 0;
    uint32_t value = 0;
    for (size_t k = 0; k < size; ++k)
      value = value << 8 | bytes[at + (big_endian ? k : size - 1 - k)];
    return value;
  }
};

bool has(Bytes bytes, std::string_view text, size_t at = 0) {
  return at <= bytes.size() && text.size() <= bytes.size() - at &&
         std::equal(text.begin(), text.end(), bytes.begin() + static_cast<ptrdiff_t>(at),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

/// `tiff`: the TIFF structure that EXIF data are; the tag stands in its first directory.
int tiff_orientation(Bytes tiff) {
  constexpr uint32_t kOrientation = 0x0112, kShort = 3, kLong = 4;
  constexpr size_t kEntryBytes = 12;
  if (!has(tiff, "II") && !has(tiff, "MM")) return 1;
  const Numbers numbers{tiff, has(tiff, "MM")};
  const size_t directory = numbers.read(4, 4);
  const uint32_t count = numbers.read(directory, 2);
  for (uint32_t k = 0; k < count; ++k) {
    const size_t entry = directory + 2 + k * kEntryBytes;
    if (entry >= tiff.size()) break;
    const uint32_t type = numbers.read(entry + 2, 2);
    if (numbers.read(entry, 2) != kOrientation || (type != kShort && type != kLong)) continue;
    const uint32_t value = numbers.read(entry + 8, type == kShort ? 2 : 4);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

constexpr std::string_view kExifMark{"Exif\0\0", 6};

Bytes without_mark(Bytes bytes) {
  return has(bytes, kExifMark) ? bytes.subspan(kExifMark.size()) : bytes;
}

int jpeg_orientation(Bytes file) {
  constexpr uint32_t kApp1 = 0xE1, kScan = 0xDA;
  const Numbers numbers{file};
  for (size_t at = 2; at + 4 <= file.size() && file[at] == 0xFF;) {
    const uint32_t marker = file[at + 1];
    if (marker == 0xFF) {  // padding
      ++at;
      continue;
    }
    if (marker == kScan) break;
    const size_t length = numbers.read(at + 2, 2);
    if (length < 2 || length > file.size() - at - 2) break;
    const Bytes segment = file.subspan(at + 4, length - 2);
    if (marker == kApp1 && has(segment, kExifMark)) return tiff_orientation(without_mark(segment));
    at += 2 + length;
  }
  return 1;
}

int png_orientation(Bytes file) {
  const Numbers numbers{file};
  for (size_t at = 8; at + 12 <= file.size();) {
    const size_t length = numbers.read(at, 4);
    if (length > file.size() - at - 12) break;
    if (has(file, "eXIf", at + 4))
      return tiff_orientation(without_mark(file.subspan(at + 8, length)));
    at += 12 + length;
  }
  return 1;
}

int webp_orientation(Bytes file) {
  const Numbers numbers{file, false};
  for (size_t at = 12; at + 8 <= file.size();) {
    const size_t length = numbers.read(at + 4, 4);
    if (length > file.size() - at - 8) break;
    if (has(file, "EXIF", at)) return tiff_orientation(without_mark(file.subspan(at + 8, length)));
    at += 8 + length + length % 2;
  }
  return 1;
}

}  // namespace

int exif_orientation(Bytes file) {
  if (has(file, "\xff\xd8")) return jpeg_orientation(file);
  if (has(file, "\x89PNG")) return png_orientation(file);
  if (has(file, {"II*\0", 4}) || has(file, {"MM\0*", 4})) return tiff_orientation(file);
  if (has(file, "RIFF") && has(file, "WEBP", 8)) return webp_orientation(file);
  return 1;
}

}  // namespace dfine::inline image
