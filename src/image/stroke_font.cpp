#include "image/stroke_font.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "image/stroke_glyphs.h"

namespace dfine::inline image {
namespace {

constexpr double kCapUnits = 10;   // cap height in the units of stroke_glyphs.h
constexpr double kPenUnits = 1.5;  // width of the pen
constexpr double kGapUnits =
    2.7;  // between the strokes of neighbouring characters, centre to centre
constexpr double kSpaceUnits = 4.0;  // a space in place of strokes, without the gap
constexpr int kPiecesPerCurve = 8;

struct Point {
  double x, y;
};
struct Segment {
  Point from, to;
};

/// Takes the next character off `text`; U+FFFD for a byte that does not belong to one.
char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead < 0x80         ? 1
                        : lead >> 5 == 0x6  ? 2
                        : lead >> 4 == 0xE  ? 3
                        : lead >> 3 == 0x1E ? 4
                                            : 0;
  char32_t code_point = length == 1 ? lead : lead & (0x7Fu >> length);
  bool valid = length > 0 && length <= text.size();
  for (size_t i = 1; valid && i < length; ++i) {
    valid = byte(i) >> 6 == 0x2;
    code_point = code_point << 6 | (byte(i) & 0x3Fu);
  }
  text.remove_prefix(valid ? length : 1);
  return valid ? code_point : 0xFFFD;
}

double take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

Point take_point(std::string_view& text) {
  const double x = take_number(text);
  return {x, take_number(text)};
}

/// Appends the strokes of a character, as line segments shifted right by `x`; returns its width.
double append_strokes(std::string_view strokes, double x, std::vector<Segment>& out) {
  if (strokes.empty()) return kSpaceUnits;
  Point pen{};
  double right = 0;
  const auto line_to = [&](Point to) {
    right = std::max(right, to.x);
    out.push_back({{pen.x + x, pen.y}, {to.x + x, to.y}});
    pen = to;
  };
  while (!strokes.empty()) {
    const char command = strokes.front();
    strokes.remove_prefix(1);
    if (command == 'M') pen = take_point(strokes);
    if (command == 'L') line_to(take_point(strokes));
    if (command == 'Q') {
      const Point from = pen, control = take_point(strokes), to = take_point(strokes);
      for (int i = 1; i <= kPiecesPerCurve; ++i) {
        const double t = static_cast<double>(i) / kPiecesPerCurve, a = (1 - t) * (1 - t),
                     b = 2 * t * (1 - t), c = t * t;
        line_to({a * from.x + b * control.x + c * to.x, a * from.y + b * control.y + c * to.y});
      }
    }
  }
  return right;
}

struct Strokes {
  std::vector<Segment> segments;  // in font units, y upwards
  double width = 0;               // from the centre of the first stroke to that of the last
};

Strokes strokes_of(std::string_view text) {
  Strokes strokes;
  for (bool first = true; !text.empty(); first = false) {
    const double start = first ? 0 : strokes.width + kGapUnits;
    strokes.width =
        start + append_strokes(glyph_strokes(take_code_point(text)), start, strokes.segments);
  }
  return strokes;
}

double distance(Point p, const Segment& s) {
  const double dx = s.to.x - s.from.x, dy = s.to.y - s.from.y;
  const double length2 = dx * dx + dy * dy;
  const double t =
      length2 > 0 ? std::clamp(((p.x - s.from.x) * dx + (p.y - s.from.y) * dy) / length2, 0.0, 1.0)
                  : 0;
  return std::hypot(p.x - s.from.x - t * dx, p.y - s.from.y - t * dy);
}

/// How much of each pixel of a rectangle the pen covers, 0..1.
class Coverage {
 public:
  Coverage(int left, int top, int right, int bottom)
      : left_(left),
        top_(top),
        width_(std::max(right - left, 0)),
        height_(std::max(bottom - top, 0)),
        values_(static_cast<size_t>(width_) * static_cast<size_t>(height_)) {}

  /// `segment` in pixels of the picture; pixel centres lie at whole numbers plus a half.
  void add(const Segment& segment, double radius) {
    const double reach = radius + 0.5;
    const auto clip = [](double v, int low, int count) {
      return std::clamp(static_cast<int>(std::floor(v)) - low, 0, count);
    };
    const auto [x0, x1] = std::minmax(segment.from.x, segment.to.x);
    const auto [y0, y1] = std::minmax(segment.from.y, segment.to.y);
    for (int y = clip(y0 - reach, top_, height_); y < clip(y1 + reach + 1, top_, height_); ++y) {
      for (int x = clip(x0 - reach, left_, width_); x < clip(x1 + reach + 1, left_, width_); ++x) {
        const double covered =
            std::clamp(reach - distance({left_ + x + 0.5, top_ + y + 0.5}, segment), 0.0, 1.0);
        float& value =
            values_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)];
        value = std::max(value, static_cast<float>(covered));
      }
    }
  }

  void paint(Image& image, Colour colour) const {
    for (int y = 0; y < height_; ++y) {
      for (int x = 0; x < width_; ++x) {
        const float share =
            values_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)];
        blend(image.row(top_ + y) + static_cast<size_t>(left_ + x) * 3, colour, share);
      }
    }
  }

 private:
  int left_, top_, width_, height_;
  std::vector<float> values_;  // [height, width]
};

}  // namespace

double text_width(std::string_view text, double cap_height) {
  return (strokes_of(text).width + kPenUnits) * cap_height / kCapUnits;
}

std::string fit_text(std::string_view text, double cap_height, double width) {
  if (text_width(text, cap_height) <= width) return std::string(text);
  std::string fitting;
  for (std::string_view rest = text; !rest.empty();) {
    take_code_point(rest);
    std::string shorter(text.substr(0, text.size() - rest.size()));
    shorter += "...";
    if (text_width(shorter, cap_height) > width) break;
    fitting = std::move(shorter);
  }
  return fitting;
}

void draw_text(Image& image, std::string_view text, double x, double baseline, double cap_height,
               Colour colour) {
  const Strokes strokes = strokes_of(text);
  const double unit = cap_height / kCapUnits, radius = std::max(kPenUnits * unit, 1.0) / 2;
  const auto clip = [](double v, int limit) {
    return static_cast<int>(std::clamp(std::floor(v), 0.0, static_cast<double>(limit)));
  };
  Coverage coverage(clip(x - 1, image.width),
                    clip(baseline - kAscent * cap_height - radius - 1, image.height),
                    clip(x + (strokes.width + kPenUnits) * unit + 2, image.width),
                    clip(baseline + kDescent * cap_height + radius + 2, image.height));
  const auto place = [&](Point p) { return Point{x + radius + p.x * unit, baseline - p.y * unit}; };
  for (const Segment& segment : strokes.segments)
    coverage.add({place(segment.from), place(segment.to)}, radius);
  coverage.paint(image, colour);
}

namespace {

class StrokeFont : public LabelFont {
 public:
  TextMask render(std::string_view text, double cap_height, double width) const override {
    const std::string line = fit_text(text, cap_height, width);
    TextMask mask;
    if (line.empty()) return mask;
    mask.baseline = static_cast<int>(std::ceil(kAscent * cap_height)) + 1;
    Image white(static_cast<int>(std::ceil(text_width(line, cap_height))),
                mask.baseline + static_cast<int>(std::ceil(kDescent * cap_height)) + 1);
    draw_text(white, line, 0, mask.baseline - 0.5, cap_height, {255, 255, 255});
    mask.width = white.width;
    mask.height = white.height;
    for (size_t i = 0; i < white.pixels.size(); i += 3) mask.coverage.push_back(white.pixels[i]);
    return mask;
  }
};

}  // namespace

const LabelFont& stroke_font() {
  static const StrokeFont font;
  return font;
}

}  // namespace dfine::inline image
