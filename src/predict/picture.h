#pragma once
// A picture on its way through dfine-predict, and what was detected in it.
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/error_code.h"
#include "image/image.h"

namespace dfine::inline predict {

/// Where a frame stands in its video.
struct FramePosition {
  int64_t index = 0;   // from 0
  double seconds = 0;  // since the start
};

/// What is known of a picture besides its pixels.
struct PictureInfo {
  int64_t id = 0;                           // image_id in the results
  std::string name;                         // file_name in the results
  std::filesystem::path source;             // the file, or what names a pack's record in messages
  std::filesystem::path drawn;              // the file that it is drawn into; empty: none
  std::optional<FramePosition> frame = {};  // of a video's frames; all of one video have its name
};

struct Picture {
  PictureInfo info;
  Image image;               // upright or as stored: the source says which
  bool oriented = false;     // the file has an EXIF orientation other than upright, applied or not
  std::string problem = {};  // why it could not be read, without its source; empty: it could
  ErrorCode code = ErrorCode::kFileUnreadable;  // of the problem
};

/// One detection as it is written.
struct Prediction {
  int64_t category_id = 0;
  std::string label;            // the class's name, or what stands for it
  bool has_name = true;         // `label` is the class's name
  int64_t class_index = 0;      // the model's label
  std::array<float, 4> xyxy{};  // pixels of the picture, cut to its borders
  float score = 0;
};

struct PredictedPicture {
  PictureInfo info;
  Image image;
  std::vector<Prediction> found;  // highest score first
};

}  // namespace dfine::inline predict
