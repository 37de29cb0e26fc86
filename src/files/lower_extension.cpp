#include "files/lower_extension.h"

#include <algorithm>
#include <cctype>

namespace dfine::inline files {

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  return extension;
}

}  // namespace dfine::inline files
