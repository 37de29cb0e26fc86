#include "image/draw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "image/colour.h"
#include "image/stroke_font.h"

namespace dfine::inline image {
namespace {

/// Whole pixels, right and bottom exclusive.
struct Rectangle {
  int left, top, right, bottom;

  bool overlaps(const Rectangle& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
  Rectangle grown(int by) const { return {left - by, top - by, right + by, bottom + by}; }
};

/// Sizes that follow from the picture's, in pixels.
struct Style {
  explicit Style(const Image& image) {
    const double mean_side = (image.width + image.height) / 2.0;
    line = mean_side < 200 ? 1 : std::max(2, static_cast<int>(std::lround(0.0045 * mean_side)));
    cap_height = std::round(std::max(7.0, 0.009 * mean_side + 4));
    padding = static_cast<int>(std::lround(0.4 * cap_height));
    label_height = static_cast<int>(cap_height) + 2 * padding + 1;
    labels = image.height >= 2 * label_height && image.width >= 2 * label_height;
  }

  int line;           // width of an outline
  double cap_height;  // of the label's text
  int padding;        // around the text
  int label_height;
  bool labels;
};

void fill(Image& image, const Rectangle& area, Colour colour, float share = 1) {
  const int left = std::max(area.left, 0), right = std::min(area.right, image.width);
  for (int y = std::max(area.top, 0); y < std::min(area.bottom, image.height); ++y) {
    for (int x = left; x < right; ++x)
      blend(image.row(y) + static_cast<size_t>(x) * 3, colour, share);
  }
}

/// The frame between `outer` and the same rectangle shrunk by `line`.
void frame(Image& image, const Rectangle& outer, int line, Colour colour, float share = 1) {
  const int top = std::min(outer.top + line, outer.bottom),
            bottom = std::max(outer.bottom - line, top);
  fill(image, {outer.left, outer.top, outer.right, top}, colour, share);
  fill(image, {outer.left, bottom, outer.right, outer.bottom}, colour, share);
  const int left = std::min(outer.left + line, outer.right),
            right = std::max(outer.right - line, left);
  fill(image, {outer.left, top, left, bottom}, colour, share);
  fill(image, {right, top, outer.right, bottom}, colour, share);
}

bool visible(const DrawnBox& box, const Image& image) {
  return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) &&
         std::isfinite(box.y2) && box.x1 <= box.x2 && box.y1 <= box.y2 && box.x1 < image.width &&
         box.y1 < image.height && box.x2 >= 0 && box.y2 >= 0;
}

/// The box in whole pixels, at least one each way. What lies far outside is cut off, so that its
/// outline there stays invisible.
Rectangle rounded(const DrawnBox& box, const Image& image) {
  constexpr int kOutside = 1000;
  const auto round = [](double v, int limit) {
    return static_cast<int>(
        std::lround(std::clamp(v, double{-kOutside}, static_cast<double>(limit + kOutside))));
  };
  Rectangle r{round(box.x1, image.width), round(box.y1, image.height), round(box.x2, image.width),
              round(box.y2, image.height)};
  r.right = std::max(r.right, r.left + 1);
  r.bottom = std::max(r.bottom, r.top + 1);
  return r;
}

/// Where a label of this width goes. Tried are the places above the box, below it, inside at its
/// top, and above it to the right. The first one that lies within the picture and hides no label in
/// `taken` wins, else the first within the picture.
Rectangle place_label(const Rectangle& box, int width, int height, const Image& image,
                      const std::vector<Rectangle>& taken) {
  const auto at = [&](int left, int top) {
    left = std::clamp(left, 0, std::max(image.width - width, 0));
    return Rectangle{left, top, left + width, top + height};
  };
  const std::array<Rectangle, 5> places{
      at(box.left, box.top - height), at(box.left, box.bottom), at(box.left, box.top),
      at(box.right - width, box.top - height), at(box.right - width, box.bottom)};
  const auto inside = [&](const Rectangle& r) { return r.top >= 0 && r.bottom <= image.height; };
  const auto free = [&](const Rectangle& r) {
    return std::none_of(taken.begin(), taken.end(),
                        [&](const Rectangle& other) { return r.overlaps(other); });
  };
  auto found = std::find_if(places.begin(), places.end(),
                            [&](const Rectangle& r) { return inside(r) && free(r); });
  if (found == places.end()) found = std::find_if(places.begin(), places.end(), inside);
  if (found != places.end()) return *found;
  return at(box.left, std::clamp(box.top, 0, image.height - height));
}

/// Capitals have the same distance to both edges; tall scripts get the room they need.
int label_height(const TextMask& text, const Style& style) {
  const int capitals = static_cast<int>(style.cap_height);
  return std::max(text.baseline, capitals + style.padding) +
         std::max(text.height - text.baseline, style.padding);
}

void paint(Image& image, const TextMask& text, int left, int top, Colour colour) {
  for (int y = std::max(-top, 0); y < std::min(text.height, image.height - top); ++y) {
    for (int x = std::max(-left, 0); x < std::min(text.width, image.width - left); ++x) {
      const uint8_t share = text.coverage[static_cast<size_t>(y) * static_cast<size_t>(text.width) +
                                          static_cast<size_t>(x)];
      blend(image.row(top + y) + static_cast<size_t>(left + x) * 3, colour, share / 255.0F);
    }
  }
}

}  // namespace

void draw_boxes(Image& image, std::span<const DrawnBox> boxes, const LabelFont* font) {
  const Style style(image);
  for (const DrawnBox& box : boxes) {
    if (!visible(box, image)) continue;
    // The line lies around the box; a thin shadow keeps it visible on a ground of its own colour.
    const Rectangle outline = rounded(box, image).grown(style.line / 2);
    frame(image, outline.grown(1), style.line + 2, {0, 0, 0}, 0.35F);
    frame(image, outline, style.line, class_colour(box.label));
  }
  if (!style.labels) return;

  if (!font) font = &stroke_font();
  std::vector<Rectangle> taken;
  for (const DrawnBox& box : boxes) {
    if (!visible(box, image) || box.text.empty()) continue;
    const TextMask text =
        font->render(box.text, style.cap_height, image.width - 2.0 * style.padding);
    if (text.width == 0) continue;
    const int height = label_height(text, style);
    if (height > image.height) continue;
    const Rectangle label = place_label(rounded(box, image).grown(style.line / 2),
                                        text.width + 2 * style.padding, height, image, taken);
    taken.push_back(label);
    const Colour ground = class_colour(box.label);
    fill(image, label, ground);
    const int below = std::max(style.padding, text.height - text.baseline);
    paint(image, text, label.left + style.padding, label.bottom - below - text.baseline,
          text_colour_on(ground));
  }
}

}  // namespace dfine::inline image
