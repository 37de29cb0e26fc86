#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "core/image_size.h"
#include "image/window.h"
#include "predict/picture.h"
#include "tensor.h"

namespace dfine::inline predict {

/// A picture with what the network sees of it.
struct PreparedPicture {
  Picture picture;
  std::vector<Window> windows;  // of the picture; none where it could not be read
  Tensor inputs;                // uint8 [windows, 3, H, W]: the windows, resized
};

struct WindowOptions {
  ImageSize size;               // network input, H x W
  std::optional<int64_t> tile;  // side of the tiles of a picture, pixels; none: it is one window
  double overlap = 0;           // part of the side that neighbours share at least
};

/// The windows are the whole picture and, where it is larger than a tile, its tiles
/// (boxes/tiles.h).
PreparedPicture prepare_picture(Picture picture, const WindowOptions& options);

}  // namespace dfine::inline predict
