#include "predict/drawn_pictures.h"

#include <cctype>
#include <map>
#include <set>
#include <string>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "files/file_id.h"
#include "video/video_writer.h"

namespace dfine::inline predict {
namespace {

/// The picture of such a file has its name.
bool keeps_name(const std::string& name, bool video) {
  if (video) return writable_video_name(name);
  std::string extension = std::filesystem::path(name).extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

}  // namespace

std::vector<std::filesystem::path> drawn_pictures(const std::vector<ImageFile>& files,
                                                  const std::filesystem::path& output,
                                                  bool videos) {
  std::set<std::string> taken;
  std::map<FileId, std::filesystem::path> images;
  for (const ImageFile& file : files) {
    if (keeps_name(file.name, videos)) taken.insert(file.name);
    if (const auto id = find_file_id(file.path)) images.emplace(*id, file.path);
  }
  std::vector<std::filesystem::path> pictures;
  for (const ImageFile& file : files) {
    std::string name = file.name;
    if (!keeps_name(name, videos)) {
      do name += videos ? ".mp4" : ".jpg";
      while (!taken.insert(name).second);
    }
    const auto& picture = pictures.emplace_back(output / name);
    const auto existing = find_file_id(picture);
    const auto image = existing ? images.find(*existing) : images.end();
    if (image != images.end()) {
      throw UsageError(
          str_cat("--output ", printable(output), ": the picture drawn of ", printable(file.path),
                  " would replace the image ", printable(image->second)),
          "name a folder without images of --images");
    }
  }
  return pictures;
}

}  // namespace dfine::inline predict
