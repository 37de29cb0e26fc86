#pragma once
// An image file as the network and the drawing take it.
#include <filesystem>
#include <string>

#include "core/error_code.h"
#include "core/image_size.h"
#include "image/image.h"
#include "tensor.h"

namespace dfine::inline predict {

struct LoadedImage {
  Image
      image;  // upright if the EXIF orientation is applied, else as stored; boxes are in its pixels
  Tensor input;           // uint8 [1, 3, H, W]: `image`, resized
  bool oriented = false;  // the file has an EXIF orientation other than upright, applied or not
  std::string problem;    // why the file could not be read, without its path; empty: it could
  ErrorCode code = ErrorCode::kFileUnreadable;  // of the problem
};

/// `size` is the network's input. Throws nothing because of the file: see `problem`.
LoadedImage load_image(const std::filesystem::path& path, ImageSize size, bool apply_exif);

}  // namespace dfine::inline predict
