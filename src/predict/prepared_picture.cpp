#include "predict/prepared_picture.h"

#include <ATen/ATen.h>

#include <utility>

#include "boxes/tiles.h"
#include "image/resize.h"

namespace dfine::inline predict {

namespace {

std::vector<Window> windows_of(const Image& image, const WindowOptions& options) {
  std::vector<Window> windows{{0, 0, image.width, image.height}};
  if (!options.tile) return windows;
  const auto tiles = cut_into_tiles({image.height, image.width}, *options.tile, options.overlap);
  if (tiles.size() == 1) return windows;
  for (const Tile& tile : tiles)
    windows.push_back({static_cast<int>(tile.left), static_cast<int>(tile.top),
                       static_cast<int>(tile.width), static_cast<int>(tile.height)});
  return windows;
}

}  // namespace

PreparedPicture prepare_picture(Picture picture, const WindowOptions& options) {
  const ImageSize size = options.size;
  PreparedPicture prepared{.picture = std::move(picture), .windows = {}, .inputs = {}};
  if (!prepared.picture.problem.empty()) return prepared;
  const Image& image = prepared.picture.image;
  prepared.windows = windows_of(image, options);
  prepared.inputs = at::empty(
      {static_cast<int64_t>(prepared.windows.size()), 3, size.height, size.width}, at::kByte);
  auto* out = prepared.inputs.data_ptr<uint8_t>();
  for (const Window& window : prepared.windows) {
    resize_window_chw(image,
                      {.window = window,
                       .width = static_cast<int>(size.width),
                       .height = static_cast<int>(size.height)},
                      out);
    out += 3 * size.height * size.width;
  }
  return prepared;
}

}  // namespace dfine::inline predict
