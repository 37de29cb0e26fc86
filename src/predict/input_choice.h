#pragma once
// From --images and --annotations to the pictures of a run, and the ids of its results.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/category.h"
#include "predict/input_images.h"
#include "predict/picture_source.h"
#include "predict/video_source.h"

namespace dfine::inline predict {

struct InputOptions {
  std::vector<std::filesystem::path> images;  // what collect_images() takes, or one pack
  std::filesystem::path annotations;          // empty: none
  bool exif = true;                           // apply the EXIF orientation
  std::filesystem::path drawn;                // the folder of drawn pictures; empty: none are
  int threads = 1;                            // that decode a video
};

struct ChosenInput {
  std::unique_ptr<PictureSource> source;
  std::vector<InputVideo> videos;    // whose frames `source` gives; empty: it gives images
  std::vector<FileNote> unreadable;  // not in `source`
  std::vector<FileNote> skipped;
  std::string ids_from;  // the annotation file or the pack; empty: images are 1, 2, ... in order
  std::vector<Category> categories;  // of `ids_from`
  std::string stored_because;  // why boxes are not in the pixels that viewers show; empty: they are
};

/// With annotations, files that they do not list are skipped. Throws Error naming what is wrong;
/// nothing is decoded yet.
ChosenInput choose_input(const InputOptions& options);

}  // namespace dfine::inline predict
