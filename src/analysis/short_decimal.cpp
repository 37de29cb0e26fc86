#include "analysis/short_decimal.h"

#include <cmath>
#include <initializer_list>

namespace dfine::inline analysis {

double short_decimal(double above, double upto) {
  constexpr int kDigits = 17;
  double scale = 1;
  for (int digits = 0; digits <= kDigits; ++digits, scale *= 10) {
    // Powers of ten up to 10^17 and whole numbers up to 2^53 are exact, so this quotient is the
    // double nearest to the decimal.
    const double scaled = std::floor(upto * scale);
    if (std::fabs(scaled) > 0x1p53) break;
    // The product may have been rounded up to the next whole number.
    for (const double whole : {scaled, scaled - 1}) {
      const double decimal = whole / scale;
      if (decimal > above && decimal <= upto) return decimal;
    }
  }
  return upto;
}

}  // namespace dfine::inline analysis
