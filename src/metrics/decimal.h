#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace dfine::inline metrics {

/// digits / 10^places, rounded to the nearest double, ties to even, as strtod does. `places` at
/// most 19.
inline double decimal(uint64_t digits, unsigned places) {
  static constexpr auto kPowers = [] {
    std::array<uint64_t, 20> powers{1};
    for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
  }();
  constexpr int kMantissa = 53;
  constexpr uint64_t kExact = uint64_t{1} << kMantissa;
  const uint64_t power = kPowers[places];
  // Both are doubles then, and a division rounds once.
  if (digits <= kExact && power <= kExact)
    return static_cast<double>(digits) / static_cast<double>(power);
  if (digits == 0) return 0;

  // Both get their highest bit set: the quotient has 63 or 64 bits, and what is left over decides
  // ties.
  using Wide = unsigned __int128;
  const int shift = std::countl_zero(digits), power_shift = std::countl_zero(power);
  const uint64_t divisor = power << power_shift;
  const Wide dividend = static_cast<Wide>(digits << shift) << 63;
  const auto quotient = static_cast<uint64_t>(dividend / divisor);
  const bool rest = dividend != static_cast<Wide>(quotient) * divisor;

  const int dropped = 64 - std::countl_zero(quotient) - kMantissa;
  const uint64_t half = uint64_t{1} << (dropped - 1), low = quotient & (2 * half - 1);
  uint64_t mantissa = quotient >> dropped;
  if (low > half || (low == half && (rest || (mantissa & 1) != 0))) ++mantissa;
  const int exponent = dropped - 63 + power_shift - shift;
  constexpr uint64_t kBias = 1023;
  const auto scale = std::bit_cast<double>((kBias + static_cast<uint64_t>(exponent)) << 52);
  return static_cast<double>(mantissa) * scale;
}

}  // namespace dfine::inline metrics
