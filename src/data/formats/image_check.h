#pragma once
// Is an image file of the annotation file usable? What dfine-pack checks before it takes one.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/annotation_set.h"
#include "files/file_id.h"

namespace dfine::inline formats {

/// `folder` / `file_name`; throws Error when the name is absolute or climbs out of the folder.
/// Links inside of the folder are followed.
std::filesystem::path resolve_image_path(const std::filesystem::path& folder,
                                         std::string_view file_name);

struct ImageFileStatus {
  uint64_t size = 0;  // bytes
  FileId id{};        // the same for all names of a file
};

/// Looks once at the file system, which may be a network away. Throws Error when there is no such
/// regular file or it is empty.
ImageFileStatus image_file_status(const std::filesystem::path& path);

struct CheckedImage {
  std::vector<uint8_t> bytes;
  uint32_t crc32c = 0;
  int32_t width = 0, height = 0;            // pixels, of `bytes`
  int32_t file_width = 0, file_height = 0;  // of the file that was read
  int orientation = 1;                      // that EXIF data of the file ask for; 1: upright
  bool resized = false;
};

/// Reads the file. Throws Error when it has not `size` bytes (any more), is no supported image or
/// is cut short. So it does when width or height are other than `image` states (where it states
/// one).
CheckedImage read_checked_image(const std::filesystem::path& path, uint64_t size,
                                const CocoImage& image);

/// Replaces an image whose longer side is above `max_side` by a JPEG of quality 95 whose longer
/// side is `max_side`. Resizing is antialiased; the shorter side is rounded, and at least 1. Throws
/// Error when it cannot be decoded.
void limit_side(CheckedImage& checked, int max_side);

}  // namespace dfine::inline formats
