#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace dfine::inline image {

/// Text as pixels.
struct TextMask {
  int width = 0, height = 0;      // 0: nothing
  int baseline = 0;               // rows above it
  std::vector<uint8_t> coverage;  // [height, width]: how much of a pixel is covered, up to 255
};

/// How labels are written.
class LabelFont {
 public:
  virtual ~LabelFont() = default;
  /// UTF-8 `text`, or as much of its beginning as fits into `width` pixels with an ellipsis behind
  /// it; nothing where not even that fits. Capitals are about `cap_height` pixels high. Any thread
  /// may call it.
  virtual TextMask render(std::string_view text, double cap_height, double width) const = 0;
};

}  // namespace dfine::inline image
