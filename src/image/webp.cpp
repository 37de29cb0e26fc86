// WebP through libwebp: still images, lossy and lossless.
#include <webp/decode.h>

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "image/codecs.h"

namespace dfine::codecs {
using enum ErrorCode;
namespace {

constexpr size_t kRiffHeaderBytes = 12;  // "RIFF", length, "WEBP"
constexpr size_t kChunkHeaderBytes = 8;  // type, length

uint32_t read_u32(Bytes bytes, size_t at) {
  return uint32_t{bytes[at + 3]} << 24 | uint32_t{bytes[at + 2]} << 16 |
         uint32_t{bytes[at + 1]} << 8 | bytes[at];
}

std::string_view status_text(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "out of memory";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "it uses a feature that the decoder does not support";
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "it is cut short";
    default:
      return "it is damaged";
  }
}

}  // namespace

ImageInfo probe_webp(Bytes file) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(file.data(), file.size(), &features);
  if (status != VP8_STATUS_OK)
    throw Error(kImageDamaged,
                str_cat("cannot read the header of the WebP file: ", status_text(status)),
                "fetch the file again");
  if (features.has_animation)
    throw Error(kImageUnsupported, "animated WebP files are not supported",
                "extract a frame of it as JPEG or PNG");
  return {ImageFormat::kWebp, features.width, features.height, features.has_alpha ? 4 : 3};
}

void check_webp(Bytes file) {
  const uint64_t end = uint64_t{read_u32(file, 4)} + 8;
  if (end > file.size()) {
    throw Error(kImageDamaged,
                str_cat("the WebP file is cut short: it has ", file.size(), " of ", end, " bytes"),
                "fetch the file again");
  }
  bool data_seen = false;
  for (uint64_t at = kRiffHeaderBytes; at < end;) {
    const uint64_t left = end - at;
    const uint64_t length = left < kChunkHeaderBytes ? 0 : read_u32(file, at + 4);
    if (left < kChunkHeaderBytes || left - kChunkHeaderBytes < length) {
      throw Error(kImageDamaged,
                  str_cat("the WebP file is damaged: the chunk at byte ", at,
                          " does not end within the file's ", end, " bytes"),
                  "fetch the file again");
    }
    data_seen |= std::equal(file.begin() + static_cast<ptrdiff_t>(at),
                            file.begin() + static_cast<ptrdiff_t>(at) + 3, "VP8") &&
                 (file[at + 3] == ' ' || file[at + 3] == 'L');
    at += kChunkHeaderBytes + length + length % 2;
  }
  if (!data_seen)
    throw Error(kImageDamaged, "the WebP file has no image data", "fetch the file again");
}

void decode_webp(Bytes file, const ImageInfo& info, Image& image) {
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config))
    throw Error(kVersionMismatch,
                "libwebp at run time is older than the one this program was built for");
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {image.pixels.data(), static_cast<int>(image.row_bytes()),
                          image.pixels.size()};
  const VP8StatusCode status = WebPDecode(file.data(), file.size(), &config);
  const bool same_size = config.input.width == info.width && config.input.height == info.height;
  if (status != VP8_STATUS_OK || !same_size) {
    throw Error(kImageDamaged,
                str_cat("cannot decode the WebP file: ",
                        status == VP8_STATUS_OK ? "its headers disagree" : status_text(status)),
                "fetch the file again");
  }
}

}  // namespace dfine::codecs
