// A build without FFmpeg's libraries: every video is an Error.
#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "video/video_reader.h"
#include "video/video_writer.h"

namespace dfine::inline video {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file) {
  throw Error(
      ErrorCode::kImageUnsupported,
      str_cat(printable(file), " is a video, and this build reads none"),
      "Build again after `launcher/setup.sh --video`, which installs FFmpeg's libraries. Or "
      "make images of it: `ffmpeg -i VIDEO frames/%05d.png`.");
}

}  // namespace

class VideoReader::Decoding {};
class VideoWriter::Encoding {};

VideoReader::VideoReader(const std::filesystem::path& file, int) {
  refuse(file);
}
VideoReader::~VideoReader() = default;
const VideoInfo& VideoReader::info() const {
  static const VideoInfo none;
  return none;
}
std::optional<VideoFrame> VideoReader::read() {
  return std::nullopt;
}
const std::vector<std::string>& VideoReader::damage() const {
  static const std::vector<std::string> none;
  return none;
}

VideoWriter::VideoWriter(const std::filesystem::path& file, const VideoInfo&, int) {
  refuse(file);
}
VideoWriter::~VideoWriter() = default;
void VideoWriter::write(const Image&, int64_t) {}
void VideoWriter::finish() {}

}  // namespace dfine::inline video
