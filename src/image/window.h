#pragma once
// A rectangle on a picture, in whole pixels.
#include <algorithm>

namespace dfine::inline image {

struct Window {
  int left = 0, top = 0, width = 0, height = 0;  // may reach outside the picture

  int right() const { return left + width; }
  int bottom() const { return top + height; }
  bool empty() const { return width <= 0 || height <= 0; }
  bool operator==(const Window&) const = default;
};

/// What both have in common; empty() where that is nothing.
inline Window intersection(const Window& a, const Window& b) {
  const int left = std::max(a.left, b.left), top = std::max(a.top, b.top);
  return {left, top, std::min(a.right(), b.right()) - left, std::min(a.bottom(), b.bottom()) - top};
}

}  // namespace dfine::inline image
