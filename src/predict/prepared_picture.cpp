#include "predict/prepared_picture.h"

#include <ATen/ATen.h>

#include <utility>

#include "image/resize.h"

namespace dfine::inline predict {

PreparedPicture prepare_picture(Picture picture, ImageSize size) {
  PreparedPicture prepared{.picture = std::move(picture), .windows = {}, .inputs = {}};
  if (!prepared.picture.problem.empty()) return prepared;
  const Image& image = prepared.picture.image;
  prepared.windows = {Window{0, 0, image.width, image.height}};
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
