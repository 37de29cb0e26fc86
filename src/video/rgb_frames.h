#pragma once
#include "image/image.h"
#include "video/ffmpeg.h"

namespace dfine::inline video {

/// Decoded frames to RGB.
class RgbFrames {
 public:
  /// As stored, with the colour matrix and range of the frame. Throws Error for a pixel format that
  /// cannot be converted.
  Image convert(const AVFrame& frame);

 private:
  ScalerHandle scaler_;  // for the size and pixel format of the frame before
};

}  // namespace dfine::inline video
