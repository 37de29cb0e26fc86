#include <algorithm>
#include <cctype>
#include <string>

#include "video/video_writer.h"

namespace dfine::inline video {

bool writable_video_name(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".mp4" || extension == ".m4v" || extension == ".mkv" || extension == ".mov";
}

}  // namespace dfine::inline video
