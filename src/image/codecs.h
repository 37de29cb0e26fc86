#pragma once
// What each format provides to decode.cpp; not for use outside src/image. The contracts are those
// of decode.h, minus the limit on size.
#include <cstdint>
#include <span>

#include "image/decode.h"
#include "image/window.h"

namespace dfine::codecs {

using Bytes = std::span<const uint8_t>;

ImageInfo probe_jpeg(Bytes file);
void check_jpeg(Bytes file);
void decode_jpeg(Bytes file, const ImageInfo& info, const Window& part, Image& image);

ImageInfo probe_png(Bytes file);
void check_png(Bytes file);
void decode_png(Bytes file, const ImageInfo& info, Image& image);

ImageInfo probe_webp(Bytes file);
void check_webp(Bytes file);
void decode_webp(Bytes file, const ImageInfo& info, Image& image);

/// By the signature and the size of the header, as two letters alone may begin any text.
bool is_bmp(Bytes file);
ImageInfo probe_bmp(Bytes file);
void check_bmp(Bytes file);
void decode_bmp(Bytes file, const ImageInfo& info, Image& image);

ImageInfo probe_tiff(Bytes file);
void check_tiff(Bytes file);
void decode_tiff(Bytes file, const ImageInfo& info, Image& image);

}  // namespace dfine::codecs
