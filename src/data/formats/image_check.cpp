#include "data/formats/image_check.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "files/byte_file.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/exif.h"
#include "image/resize.h"

namespace dfine::inline formats {
using enum ErrorCode;
namespace fs = std::filesystem;

fs::path resolve_image_path(const fs::path& folder, std::string_view file_name) {
  if (file_name.find('\0') != std::string_view::npos)
    throw Error(kRecordInvalid, "file_name holds a zero byte");
  const fs::path relative = fs::path(file_name).lexically_normal();
  if (relative.is_absolute())
    throw Error(kRecordInvalid, "file_name is an absolute path",
                "file_name must be relative to the image folder");
  if (!relative.has_filename() || relative == ".")
    throw Error(kRecordInvalid, "file_name names no file");
  if (*relative.begin() == "..")
    throw Error(kRecordInvalid, "file_name leaves the image folder",
                "file_name must be relative to the image folder, without '..'");
  return folder / relative;
}

ImageFileStatus image_file_status(const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      throw Error(kFileMissing, str_cat(printable(path), " does not exist"));
    throw Error(read_error_code(errno), str_cat("cannot read ", printable(path), ": ",
                                                std::generic_category().message(errno)));
  }
  if (!S_ISREG(status.st_mode))
    throw Error(kFileUnreadable, str_cat(printable(path), " is not a file"));
  if (status.st_size == 0) throw Error(kImageDamaged, str_cat(printable(path), " is empty"));
  return {.size = static_cast<uint64_t>(status.st_size), .id = {status.st_dev, status.st_ino}};
}

CheckedImage read_checked_image(const fs::path& path, uint64_t size, const CocoImage& image) {
  CheckedImage checked;
  const ByteFile file(path);
  if (const uint64_t now = file.size(); now != size)
    throw Error(kFileChanged,
                str_cat("the file changed while it was packed: ", size, " bytes became ", now));
  file.read(0, size, checked.bytes);
  const ImageInfo info = probe_image(checked.bytes);
  checked.width = checked.file_width = info.width;
  checked.height = checked.file_height = info.height;
  const bool same = (image.width < 0 || image.width == info.width) &&
                    (image.height < 0 || image.height == info.height);
  if (!same) {
    throw Error(kDataMismatch,
                str_cat("the file has ", info.width, "x", info.height,
                        " pixels, but the annotation file says ", image.width, "x", image.height),
                "boxes refer to the size in the annotation file: resize neither images nor boxes "
                "alone; EXIF orientation is not applied");
  }
  check_complete(checked.bytes);
  checked.orientation = exif_orientation(checked.bytes);
  checked.crc32c = crc32c(checked.bytes);
  return checked;
}

void limit_side(CheckedImage& checked, int max_side) {
  constexpr int kQuality = 95;
  const int longer = std::max(checked.width, checked.height);
  if (longer <= max_side) return;
  const auto scaled = [&](int side) {
    return std::max(1,
                    static_cast<int>(std::lround(static_cast<double>(side) * max_side / longer)));
  };
  const Image smaller =
      resize_antialias(decode_image(checked.bytes), scaled(checked.width), scaled(checked.height));
  checked.bytes = encode_jpeg(smaller, kQuality);
  checked.crc32c = crc32c(checked.bytes);
  checked.width = smaller.width;
  checked.height = smaller.height;
  checked.resized = true;
}

}  // namespace dfine::inline formats
