#pragma once
// Frames to a video file: H.264 where FFmpeg has libx264, else MPEG-4; yuv420p, ITU-R BT.709 in
// limited range, no sound.
#include <cstdint>
#include <filesystem>
#include <memory>

#include "image/image.h"
#include "video/video_reader.h"

namespace dfine::inline video {

/// Whether VideoWriter can write a file of this name: .mp4, .m4v, .mkv or .mov, in any case.
bool writable_video_name(const std::filesystem::path& file);

class VideoWriter {
 public:
  /// `like`: size, frame rate and times of the frames to come. The picture gets a row or column
  /// more, a copy of the last one, where a side is odd. The file appears at finish(). Throws Error
  /// naming the file.
  VideoWriter(const std::filesystem::path& file, const VideoInfo& like, int threads);
  /// Removes what was written, unless finished.
  ~VideoWriter();
  VideoWriter(const VideoWriter&) = delete;
  VideoWriter& operator=(const VideoWriter&) = delete;

  /// A frame at `time` (in VideoInfo::time_base), later than the one before. One of another size is
  /// scaled. Throws Error (disk full, ...).
  void write(const Image& image, int64_t time);
  void finish();

 private:
  class Encoding;
  std::unique_ptr<Encoding> encoding_;
};

}  // namespace dfine::inline video
