#include "image/file_kind.h"

#include <algorithm>
#include <array>
#include <istream>

#include "image/codecs.h"

namespace dfine::inline image {
namespace {

using Bytes = std::span<const uint8_t>;

bool has(Bytes file, std::string_view text, size_t at = 0) {
  return at + text.size() <= file.size() &&
         std::equal(text.begin(), text.end(), file.begin() + static_cast<ptrdiff_t>(at),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

/// "P6", white space, and a number or a comment.
bool is_netpbm(Bytes file) {
  const auto within = [&](size_t at, char first, char last) {
    return file[at] >= first && file[at] <= last;
  };
  return file.size() >= 4 && file[0] == 'P' && within(1, '1', '7') &&
         (file[2] == '\n' || file[2] == ' ') && (within(3, '0', '9') || file[3] == '#');
}

/// ISO base media files (ISO/IEC 14496-12) name their brand: major at byte 8, compatible ones from
/// byte 16.
std::optional<FileKind> iso_media(Bytes file) {
  if (!has(file, "ftyp", 4)) return std::nullopt;
  const auto of_brand = [&](std::string_view brand) {
    for (size_t at = 8; at + 4 <= std::min(file.size(), kFileKindBytes); at += 4) {
      if (at != 12 && has(file, brand, at)) return true;
    }
    return false;
  };
  if (of_brand("avif") || of_brand("avis")) return FileKind{"an AVIF image", true};
  for (const std::string_view brand :
       {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"}) {
    if (of_brand(brand)) return FileKind{"a HEIC image", true};
  }
  if (of_brand("crx ")) return FileKind{"a Canon raw image", true};
  return FileKind{"an MP4 or QuickTime video", false};
}

}  // namespace

std::optional<FileKind> file_kind(Bytes file) {
  struct Known {
    std::string_view magic;
    FileKind kind;
  };
  static constexpr std::array kKnown{
      Known{"\xff\xd8", {"a JPEG image", true}},
      Known{"\x89PNG\r\n\x1a\n", {"a PNG image", true}},
      Known{"GIF8", {"a GIF image", true}},
      Known{{"II*\0", 4}, {"a TIFF image", true}},
      Known{{"MM\0*", 4}, {"a TIFF image", true}},
      Known{{"II+\0", 4}, {"a BigTIFF image", true}},
      Known{{"MM\0+", 4}, {"a BigTIFF image", true}},
      Known{{"\0\0\0\x0cjP", 6}, {"a JPEG 2000 image", true}},
      Known{"\xff\x4f\xff\x51", {"a JPEG 2000 image", true}},
      Known{{"\0\0\0\x0cJXL ", 8}, {"a JPEG XL image", true}},
      Known{"\xff\x0a", {"a JPEG XL image", true}},
      Known{"8BPS", {"a Photoshop image", true}},
      Known{"\x76\x2f\x31\x01", {"an OpenEXR image", true}},
      Known{"FUJIFILMCCD-RAW", {"a Fujifilm raw image", true}},
      Known{"\x1a\x45\xdf\xa3", {"a Matroska or WebM video", false}},
      Known{"%PDF", {"a PDF file", false}},
      Known{"version https://git-lfs", {"a Git LFS pointer file", false}},
      Known{"<", {"a web page or other text file", false}},
  };
  if (has(file, "RIFF") && has(file, "WEBP", 8)) return FileKind{"a WebP image", true};
  if (has(file, "RIFF") && has(file, "AVI ", 8)) return FileKind{"an AVI video", false};
  if (codecs::is_bmp(file)) return FileKind{"a BMP image", true};
  if (is_netpbm(file)) return FileKind{"a Netpbm image", true};
  for (const Known& known : kKnown) {
    if (has(file, known.magic)) return known.kind;
  }
  return iso_media(file);
}

std::optional<FileKind> file_kind(std::istream& file) {
  std::array<uint8_t, kFileKindBytes> bytes{};
  file.read(reinterpret_cast<char*>(bytes.data()), bytes.size());
  return file_kind(std::span(bytes).first(static_cast<size_t>(file.gcount())));
}

}  // namespace dfine::inline image
