#include <algorithm>
#include <array>
#include <string_view>

#include "files/lower_extension.h"
#include "video/video_writer.h"

namespace dfine::inline video {

bool writable_video_name(const std::filesystem::path& file) {
  constexpr std::array<std::string_view, 4> kExtensions{".mp4", ".m4v", ".mkv", ".mov"};
  return std::ranges::find(kExtensions, lower_extension(file)) != kExtensions.end();
}

}  // namespace dfine::inline video
