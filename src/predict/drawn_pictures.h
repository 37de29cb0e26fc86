#pragma once
// Where dfine-predict draws each image.
#include <filesystem>
#include <vector>

#include "predict/input_images.h"

namespace dfine::inline predict {

/// For each file the picture in `output`: sub/a.jpg and b.png keep their names, c.webp becomes
/// c.webp.jpg, and c.webp.jpg.jpg beside an image c.webp.jpg. No two are the same, as long as the
/// files' names differ. `videos`: clip.mp4, .mkv and .mov keep theirs, clip.avi becomes
/// clip.avi.mp4. Throws UsageError when a picture would replace one of the images.
std::vector<std::filesystem::path> drawn_pictures(const std::vector<ImageFile>& files,
                                                  const std::filesystem::path& output,
                                                  bool videos = false);

}  // namespace dfine::inline predict
