#pragma once
#include <cstdint>
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

/// `size` is the network's input, H x W.
PreparedPicture prepare_picture(Picture picture, ImageSize size);

}  // namespace dfine::inline predict
