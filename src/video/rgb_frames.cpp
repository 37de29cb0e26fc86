#include "video/rgb_frames.h"

#include "core/error.h"
#include "core/text.h"
#include "image/decode.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace dfine::inline video {
namespace {

/// Pixel formats whose name implies full range.
bool named_full_range(AVPixelFormat format) {
  return format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVJ422P ||
         format == AV_PIX_FMT_YUVJ444P || format == AV_PIX_FMT_YUVJ440P ||
         format == AV_PIX_FMT_YUVJ411P;
}

}  // namespace

Image RgbFrames::convert(const AVFrame& frame) {
  if (int64_t{frame.width} * frame.height > kMaxImagePixels) {
    throw Error(ErrorCode::kImageUnsupported,
                str_cat("a frame of ", frame.width, "x", frame.height, " pixels is too large"));
  }
  const auto format = static_cast<AVPixelFormat>(frame.format);
  // Exact rounding, and chroma interpolated for each pixel: the best that libswscale has.
  scaler_.reset(sws_getCachedContext(scaler_.release(), frame.width, frame.height, format,
                                     frame.width, frame.height, AV_PIX_FMT_RGB24,
                                     SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr,
                                     nullptr, nullptr));
  if (!scaler_) {
    const char* name = av_get_pix_fmt_name(format);
    throw Error(ErrorCode::kImageUnsupported,
                str_cat("no conversion to RGB from the pixel format ", name ? name : "unknown"));
  }
  const bool full = frame.color_range == AVCOL_RANGE_JPEG || named_full_range(format);
  // Fixed-point numbers with 16 bits behind the point; no change of brightness and contrast.
  constexpr int kNone = 0, kOne = 1 << 16;
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(frame.colorspace), full,
                           sws_getCoefficients(SWS_CS_DEFAULT), /*dstRange=*/1, kNone, kOne, kOne);
  Image image(frame.width, frame.height);
  uint8_t* const rows[4] = {image.pixels.data()};
  const int strides[4] = {static_cast<int>(image.row_bytes())};
  sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, rows, strides);
  return image;
}

}  // namespace dfine::inline video
