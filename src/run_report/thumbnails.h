#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/image_size.h"

namespace dfine::inline run_report {

struct Thumbnail {
  ImageSize whole;   // of the file, pixels
  std::string data;  // "data:image/jpeg;base64,..."
};

/// A JPEG with a long side of at most 640 pixels. Throws Error where the file cannot be decoded.
Thumbnail thumbnail(std::span<const uint8_t> file);

}  // namespace dfine::inline run_report
