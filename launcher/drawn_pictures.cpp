#include "drawn_pictures.h"

#include <sys/stat.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine {
namespace {

using FileIdentity = std::pair<dev_t, ino_t>;

/// The file itself, by whatever path or link it is reached; nothing where there is none.
std::optional<FileIdentity> identity(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileIdentity(found.st_dev, found.st_ino);
}

bool is_jpg(const std::string& name) {
  return std::filesystem::path(name).extension() == ".jpg";
}

}  // namespace

std::vector<std::filesystem::path> drawn_pictures(const std::vector<ImageFile>& files, const std::filesystem::path& output) {
  std::set<std::string> taken;
  std::map<FileIdentity, std::filesystem::path> images;
  for (const ImageFile& file : files) {
    if (is_jpg(file.name)) taken.insert(file.name);
    if (const auto id = identity(file.path)) images.emplace(*id, file.path);
  }
  std::vector<std::filesystem::path> pictures;
  for (const ImageFile& file : files) {
    std::string name = file.name;
    if (!is_jpg(name)) {
      do name += ".jpg";
      while (!taken.insert(name).second);
    }
    const auto& picture = pictures.emplace_back(output / name);
    const auto existing = identity(picture);
    const auto image = existing ? images.find(*existing) : images.end();
    if (image != images.end()) {
      throw UsageError(cat("--output ", output.string(), ": the picture drawn of ", file.path.string(), " would replace the image ",
                           image->second.string()),
                       "name a folder without images of --images");
    }
  }
  return pictures;
}

}  // namespace dfine
