#pragma once
// The frames of a video file, upright and as RGB. A build without FFmpeg's libraries refuses every
// video with the packages to install.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/image.h"

namespace dfine::inline video {

struct Fraction {
  int num = 0, den = 1;
};

struct VideoInfo {
  int width = 0, height = 0;  // pixels of an upright frame
  Fraction frame_rate;        // frames per second on average; 0/1: unknown
  Fraction time_base;         // seconds per unit of VideoFrame::time
  Fraction pixel_aspect;      // width by height of an upright pixel; 0/1: unknown
  int64_t frames = 0;         // estimate from the file's header; 0: unknown
};

struct VideoFrame {
  Image image;
  int64_t index = 0;   // 0, 1, ... of the frames that were decoded
  int64_t time = 0;    // in VideoInfo::time_base since the first frame; ascending
  double seconds = 0;  // the same
};

class VideoReader {
 public:
  /// Decodes on `threads`. Throws Error naming the file: it is missing, no video, without a picture
  /// stream, or its header is cut off.
  VideoReader(const std::filesystem::path& file, int threads);
  ~VideoReader();
  VideoReader(const VideoReader&) = delete;
  VideoReader& operator=(const VideoReader&) = delete;

  const VideoInfo& info() const;

  /// The next frame; nothing at the end. Pixels: the colour matrix and range that the file names;
  /// without a matrix that of ITU-R BT.601, as FFmpeg takes it. A rotation that a phone has noted
  /// is applied. What cannot be decoded is noted in damage(), and the next frame that can follows.
  /// Throws Error naming the file when the disk fails, or when not one frame can be decoded.
  std::optional<VideoFrame> read();

  /// What was damaged so far, one entry per place: "frame 17 (0.68 s): REASON". Frames that the
  /// decoder has patched are listed and delivered. So is an end before the length in the header.
  const std::vector<std::string>& damage() const;

 private:
  class Decoding;
  std::unique_ptr<Decoding> decoding_;
};

}  // namespace dfine::inline video
