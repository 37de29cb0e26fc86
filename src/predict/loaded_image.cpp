#include "predict/loaded_image.h"

#include <ATen/ATen.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "image/decode.h"
#include "image/exif.h"
#include "image/orient.h"
#include "image/resize.h"

namespace dfine::inline predict {
namespace {

std::vector<uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(read_error_code(errno), str_cat("cannot be opened: ", std::strerror(errno)));
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad())
    throw Error(ErrorCode::kFileUnreadable, str_cat("cannot be read: ", std::strerror(errno)));
  return bytes;
}

}  // namespace

LoadedImage load_image(const std::filesystem::path& path, ImageSize size, bool apply_exif) {
  LoadedImage loaded;
  try {
    const auto file = read_file(path);
    loaded.image = decode_image(file);
    const int orientation = exif_orientation(file);
    loaded.oriented = orientation != 1;
    if (loaded.oriented && apply_exif) loaded.image = upright(loaded.image, orientation);
  } catch (const Error& e) {
    loaded.problem = e.message();
    loaded.code = e.code();
    return loaded;
  }
  loaded.input = at::empty({1, 3, size.height, size.width}, at::kByte);
  resize_antialias_chw(loaded.image, static_cast<int>(size.width), static_cast<int>(size.height),
                       /*flip=*/false, loaded.input.data_ptr<uint8_t>());
  return loaded;
}

}  // namespace dfine::inline predict
