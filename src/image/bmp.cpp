// BMP (Microsoft's BITMAPINFOHEADER and its relatives, OS/2's BITMAPCOREHEADER): uncompressed files
// with 8 or fewer bits per channel.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "image/codecs.h"

namespace dfine::codecs {
using enum ErrorCode;
namespace {

constexpr size_t kFileHeaderBytes = 14;    // "BM", size of the file, reserved, offset of the pixels
constexpr uint32_t kCoreHeaderBytes = 12;  // OS/2: 16-bit sizes, palette entries of 3 bytes
constexpr uint32_t kInfoHeaderBytes = 40;
constexpr uint32_t kV2HeaderBytes = 52;  // holds the masks that follow a header of 40 bytes
constexpr std::array<uint32_t, 7> kHeaderBytes{
    kCoreHeaderBytes, kInfoHeaderBytes, kV2HeaderBytes, 56, 64, 108, 124};
constexpr const char* kConvert = "convert it to PNG or JPEG";
constexpr const char* kFetch = "fetch the file again";

enum Compression : uint32_t { kRgb = 0, kBitfields = 3, kAlphaBitfields = 6 };

uint32_t read_u16(Bytes bytes, size_t at) {
  return uint32_t{bytes[at + 1]} << 8 | bytes[at];
}

uint32_t read_u32(Bytes bytes, size_t at) {
  return read_u16(bytes, at + 2) << 16 | read_u16(bytes, at);
}

/// One channel's bits within a pixel of 16 or 32 bits.
struct Channel {
  int shift = 0;
  uint32_t max = 0;  // all of its bits set; 0: the file has no such channel

  uint8_t value(uint32_t pixel) const {
    return max == 0 ? 0 : static_cast<uint8_t>((pixel >> shift & max) * 255 / max);
  }
};

Channel channel_of(uint32_t mask) {
  if (mask == 0) return {};
  const int shift = std::countr_zero(mask);
  const uint32_t max = mask >> shift;
  if ((max & (max + 1)) != 0)
    throw Error(kImageDamaged,
                "the BMP file is damaged: the bits of a colour do not lie side by side", kFetch);
  if (max > 255)
    throw Error(kImageUnsupported, "the BMP file has more than 8 bits per channel; 8 can be read",
                kConvert);
  return {shift, max};
}

struct Header {
  ImageInfo info;
  bool top_down = false;
  uint32_t bits = 0;  // per pixel
  uint64_t pixels_at = 0, row_bytes = 0, stride = 0;
  std::array<Channel, 3> channels;  // of 16 and 32 bits: red, green, blue
  size_t palette_at = 0, palette_entry_bytes = 0;
  uint64_t palette_entries = 0;  // as the header has them
};

[[noreturn]] void throw_cut(Bytes file, const char* where) {
  throw Error(kImageDamaged,
              str_cat("the BMP file is cut short: its ", file.size(), " bytes end ", where),
              kFetch);
}

void read_channels(Header& header, Bytes file, uint32_t header_bytes, uint32_t compression) {
  std::array<uint32_t, 4> masks{0xFF0000, 0x00FF00, 0x0000FF, 0};
  if (header.bits == 16) masks = {0x7C00, 0x03E0, 0x001F, 0};
  if (compression != kRgb) {
    const bool with_alpha = compression == kAlphaBitfields || header_bytes > kV2HeaderBytes;
    const size_t at = kFileHeaderBytes + kInfoHeaderBytes, count = with_alpha ? 4 : 3;
    if (file.size() < at + 4 * count) throw_cut(file, "within the colour masks");
    for (size_t c = 0; c < count; ++c) masks[c] = read_u32(file, at + 4 * c);
    if (header_bytes == kInfoHeaderBytes) header.palette_at += 4 * count;
  }
  for (size_t c = 0; c < 3; ++c) header.channels[c] = channel_of(masks[c]);
  header.info.channels = masks[3] == 0 ? 3 : 4;
}

Header read_header(Bytes file) {
  const uint32_t header_bytes = read_u32(file, kFileHeaderBytes);
  if (file.size() < kFileHeaderBytes + header_bytes) throw_cut(file, "within the header");
  const bool core = header_bytes == kCoreHeaderBytes;
  int64_t width = 0, height = 0;
  uint32_t compression = kRgb;
  Header header;
  if (core) {
    width = read_u16(file, 18);
    height = read_u16(file, 20);
    header.bits = read_u16(file, 24);
  } else {
    width = static_cast<int32_t>(read_u32(file, 18));
    height = static_cast<int32_t>(read_u32(file, 22));
    header.bits = read_u16(file, 28);
    compression = read_u32(file, 30);
    header.palette_entries = read_u32(file, 46);
  }
  header.top_down = height < 0;
  height = std::abs(height);
  if (width > INT32_MAX || height > INT32_MAX)
    throw Error(kImageDamaged,
                str_cat("the BMP file is damaged: ", width, " x ", height, " pixels"), kFetch);
  header.info = {ImageFormat::kBmp, static_cast<int>(width), static_cast<int>(height), 3};
  if (compression != kRgb && compression != kBitfields && compression != kAlphaBitfields)
    throw Error(kImageUnsupported,
                str_cat("the BMP file is compressed (method ", compression,
                        "); only uncompressed ones can be read"),
                kConvert);

  const uint32_t bits = header.bits;
  const bool palette = bits == 1 || bits == 4 || bits == 8;
  if (!palette && bits != 16 && bits != 24 && bits != 32)
    throw Error(kImageUnsupported, str_cat("the BMP file has ", counted(bits, "bit"), " per pixel"),
                kConvert);
  if (compression != kRgb && (palette || bits == 24))
    throw Error(kImageUnsupported,
                str_cat("the BMP file has colour masks for ", counted(bits, "bit"), " per pixel"),
                kConvert);
  header.palette_at = kFileHeaderBytes + header_bytes;
  header.palette_entry_bytes = core ? 3 : 4;
  if (palette && header.palette_entries == 0) header.palette_entries = uint64_t{1} << bits;
  if (bits == 16 || bits == 32) read_channels(header, file, header_bytes, compression);
  header.pixels_at = read_u32(file, 10);
  header.row_bytes = (static_cast<uint64_t>(width) * bits + 7) / 8;
  header.stride = (header.row_bytes + 3) / 4 * 4;
  return header;
}

/// The colours as RGB; its entries lie before the pixels.
std::vector<std::array<uint8_t, 3>> read_palette(Bytes file, const Header& header) {
  const uint64_t room = header.pixels_at - header.palette_at;
  const uint64_t count = std::min(
      {header.palette_entries, uint64_t{1} << header.bits, room / header.palette_entry_bytes});
  std::vector<std::array<uint8_t, 3>> palette(count);
  for (size_t i = 0; i < count; ++i) {
    const Bytes entry = file.subspan(header.palette_at + i * header.palette_entry_bytes, 3);
    palette[i] = {entry[2], entry[1], entry[0]};
  }
  return palette;
}

void decode_indices(Bytes row, uint32_t bits, const std::vector<std::array<uint8_t, 3>>& palette,
                    uint8_t* rgb, size_t width) {
  const uint32_t per_byte = 8 / bits, mask = (1U << bits) - 1;
  for (size_t x = 0; x < width; ++x, rgb += 3) {
    const uint32_t index = row[x / per_byte] >> (8 - bits * (x % per_byte + 1)) & mask;
    if (index >= palette.size())
      throw Error(kImageDamaged,
                  str_cat("the BMP file is damaged: colour ", index, " of a palette of ",
                          palette.size(), " colours"),
                  kFetch);
    std::ranges::copy(palette[index], rgb);
  }
}

void decode_packed(Bytes row, const Header& header, uint8_t* rgb) {
  const auto width = static_cast<size_t>(header.info.width);
  for (size_t x = 0; x < width; ++x, rgb += 3) {
    const uint32_t pixel = header.bits == 16 ? read_u16(row, 2 * x) : read_u32(row, 4 * x);
    for (size_t c = 0; c < 3; ++c) rgb[c] = header.channels[c].value(pixel);
  }
}

void decode_bgr(Bytes row, uint8_t* rgb, size_t width) {
  for (size_t x = 0; x < width; ++x, rgb += 3) {
    for (size_t c = 0; c < 3; ++c) rgb[c] = row[3 * x + 2 - c];
  }
}

/// Throws Error unless the pixels lie behind the header and within the file. The padding of the
/// last row may be absent.
void check_extent(Bytes file, const Header& header) {
  if (header.pixels_at < header.palette_at)
    throw Error(kImageDamaged,
                str_cat("the BMP file is damaged: its pixels begin at byte ", header.pixels_at,
                        ", within the header"),
                kFetch);
  const uint64_t end = header.pixels_at +
                       header.stride * static_cast<uint64_t>(header.info.height - 1) +
                       header.row_bytes;
  if (file.size() < end)
    throw Error(kImageDamaged,
                str_cat("the BMP file is cut short: it has ", file.size(), " of ", end, " bytes"),
                kFetch);
}

}  // namespace

bool is_bmp(Bytes file) {
  return file.size() >= kFileHeaderBytes + 4 && file[0] == 'B' && file[1] == 'M' &&
         std::ranges::find(kHeaderBytes, read_u32(file, kFileHeaderBytes)) != kHeaderBytes.end();
}

ImageInfo probe_bmp(Bytes file) {
  return read_header(file).info;
}

void check_bmp(Bytes file) {
  check_extent(file, read_header(file));
}

void decode_bmp(Bytes file, const ImageInfo& info, Image& image) {
  const Header header = read_header(file);
  check_extent(file, header);
  const auto width = static_cast<size_t>(info.width);
  std::vector<std::array<uint8_t, 3>> palette;
  if (header.bits <= 8) palette = read_palette(file, header);
  for (int y = 0; y < info.height; ++y) {
    const Bytes row =
        file.subspan(header.pixels_at + header.stride * static_cast<uint64_t>(y), header.row_bytes);
    uint8_t* const rgb = image.row(header.top_down ? y : info.height - 1 - y);
    if (header.bits <= 8) {
      decode_indices(row, header.bits, palette, rgb, width);
    } else if (header.bits == 24) {
      decode_bgr(row, rgb, width);
    } else {
      decode_packed(row, header, rgb);
    }
  }
}

}  // namespace dfine::codecs
