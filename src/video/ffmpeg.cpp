#include "video/ffmpeg.h"

#include <array>

namespace dfine::inline video {

std::string file_url(const std::filesystem::path& file) {
  return "file:" + file.native();
}

std::string ffmpeg_reason(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

void silence_ffmpeg() {
  av_log_set_level(AV_LOG_QUIET);
}

}  // namespace dfine::inline video
