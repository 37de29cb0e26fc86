// The structure of a PNG file (W3C PNG specification, section 5): chunks of length, type, data and
// checksum.
#include <zlib.h>

#include <array>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "image/codecs.h"

namespace dfine::codecs {
using enum ErrorCode;
namespace {

constexpr size_t kSignatureBytes = 8;
constexpr size_t kFrameBytes = 12;  // of a chunk, around its data: length, type, checksum
constexpr size_t kHeaderBytes = 13;

uint32_t read_u32(Bytes bytes, size_t at) {
  return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 | uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}

struct Chunk {
  std::string type;  // four letters, or what is there instead
  Bytes data;
  bool intact;  // its checksum fits
};

/// The chunk at byte `at`.
Chunk read_chunk(Bytes file, size_t at) {
  if (file.size() < at + kFrameBytes || file.size() - at - kFrameBytes < read_u32(file, at)) {
    throw Error(kImageDamaged,
                str_cat("the PNG file is cut short: its ", file.size(),
                        " bytes end within the chunk that begins at byte ", at),
                "fetch the file again");
  }
  const uint32_t length = read_u32(file, at);
  const Bytes typed =
      file.subspan(at + 4, length + size_t{4});  // the checksum covers type and data
  const uint32_t checksum = static_cast<uint32_t>(crc32_z(0, typed.data(), typed.size()));
  std::string type;
  for (uint8_t letter : typed.first(4))
    type += letter >= ' ' && letter <= '~' ? static_cast<char>(letter) : '?';
  return {std::move(type), typed.subspan(4), checksum == read_u32(file, at + 8 + length)};
}

}  // namespace

ImageInfo probe_png(Bytes file) {
  const Chunk header = read_chunk(file, kSignatureBytes);
  if (header.type != "IHDR" || header.data.size() != kHeaderBytes || !header.intact) {
    throw Error(kImageDamaged, "the PNG file is damaged: its header chunk is",
                "fetch the file again");
  }
  constexpr std::array<int, 7> kChannels{1, 0, 3, 3,
                                         2, 0, 4};  // by colour type; type 3 is a palette
  const uint8_t colour_type = header.data[9];
  if (colour_type >= kChannels.size() || kChannels[colour_type] == 0) {
    throw Error(kImageDamaged, str_cat("the PNG file is damaged: colour type ", int{colour_type}),
                "fetch the file again");
  }
  const uint32_t width = read_u32(header.data, 0), height = read_u32(header.data, 4);
  if (width > INT32_MAX || height > INT32_MAX)
    throw Error(kImageDamaged,
                str_cat("the PNG file is damaged: ", width, " x ", height, " pixels"));
  return {ImageFormat::kPng, static_cast<int>(width), static_cast<int>(height),
          kChannels[colour_type]};
}

void check_png(Bytes file) {
  bool data_seen = false;
  for (size_t at = kSignatureBytes;;) {
    const Chunk chunk = read_chunk(file, at);
    if (!chunk.intact) {
      throw Error(kImageDamaged,
                  str_cat("the PNG file is damaged: the checksum of chunk ", chunk.type,
                          " at byte ", at, " does not fit its data"),
                  "fetch the file again");
    }
    if (chunk.type == "IEND") break;
    data_seen |= chunk.type == "IDAT";
    at += kFrameBytes + chunk.data.size();
  }
  if (!data_seen)
    throw Error(kImageDamaged, "the PNG file has no image data", "fetch the file again");
}

}  // namespace dfine::codecs
