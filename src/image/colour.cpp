#include "image/colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace dfine::inline image {
namespace {

/// Linear light of an 8-bit sRGB value, and back (IEC 61966-2-1).
double to_linear(uint8_t value) {
  const double v = value / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

uint8_t from_linear(double light) {
  const double v = std::clamp(light, 0.0, 1.0);
  return static_cast<uint8_t>(
      std::lround(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055)));
}

/// Linear sRGB, possibly outside [0, 1]. `hue` in radians.
std::array<double, 3> oklch_to_linear(double lightness, double chroma, double hue) {
  const double a = chroma * std::cos(hue), b = chroma * std::sin(hue);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

bool displayable(const std::array<double, 3>& rgb) {
  return std::all_of(rgb.begin(), rgb.end(), [](double v) { return v >= 0 && v <= 1; });
}

}  // namespace

Colour class_colour(int label) {
  constexpr std::array<double, 3> kLightness{0.68, 0.82, 0.55};
  constexpr int kTurn = 8;  // hues between changes of lightness; eight steps of the golden angle
                            // stay 32 degrees apart
  constexpr double kFirstHue = 25.0;  // degrees: red
  const auto n = static_cast<unsigned>(label);
  const double golden_angle = 180.0 * (3.0 - std::sqrt(5.0));
  const double hue = std::fmod(kFirstHue + golden_angle * n, 360.0) * std::numbers::pi / 180;
  const double lightness = kLightness[n / kTurn % kLightness.size()];
  // As much chroma as the display can show at this hue and lightness.
  double chroma = 0.25;
  while (!displayable(oklch_to_linear(lightness, chroma, hue))) chroma -= 0.005;
  const auto rgb = oklch_to_linear(lightness, chroma, hue);
  return {from_linear(rgb[0]), from_linear(rgb[1]), from_linear(rgb[2])};
}

Colour text_colour_on(Colour background) {
  // Contrast as WCAG 2.1 defines it: (lighter + 0.05) / (darker + 0.05) of the relative luminances.
  // Black wins above the geometric mean.
  const double luminance = 0.2126 * to_linear(background.red) +
                           0.7152 * to_linear(background.green) +
                           0.0722 * to_linear(background.blue);
  return luminance + 0.05 > std::sqrt(1.05 * 0.05) ? Colour{0, 0, 0} : Colour{255, 255, 255};
}

}  // namespace dfine::inline image
