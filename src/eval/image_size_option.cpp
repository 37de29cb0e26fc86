#include "eval/image_size_option.h"

#include <charconv>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline eval {
namespace {

constexpr int64_t kLargestSide = 4096;  // as data.image_size

int64_t parse_side(std::string_view text, const std::string& whole) {
  int64_t side = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), side);
  if (failed != std::errc() || end != text.data() + text.size() || side <= 0 || side % 32 != 0 ||
      side > kLargestSide) {
    throw UsageError(str_cat("--image-size ", whole, ": expected a number divisible by 32, up to ",
                             kLargestSide, ", or HEIGHTxWIDTH of such numbers"));
  }
  return side;
}

}  // namespace

std::optional<ImageSize> parse_image_size(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto cross = text.find('x');
  if (cross == std::string::npos) return ImageSize{parse_side(text, text), parse_side(text, text)};
  return ImageSize{parse_side(std::string_view(text).substr(0, cross), text),
                   parse_side(std::string_view(text).substr(cross + 1), text)};
}

}  // namespace dfine::inline eval
