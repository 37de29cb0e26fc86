#pragma once
#include "image/image.h"
#include "image/window.h"

namespace dfine::inline image {

/// The part of the source, which lies inside it, turned counter-clockwise by `quarter_turns` (0 to
/// 3) times 90 degrees.
void rotate_quarters(const Image& source, const Window& part, int quarter_turns, Image& out);

}  // namespace dfine::inline image
