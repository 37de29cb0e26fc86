// Numbers of results files against strtod of the C library.
#include "metrics/decimal.h"

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "core/random.h"
#include "metrics/plain_json.h"

namespace dfine {
namespace {

void expect_like_strtod(uint64_t digits, unsigned places) {
  const std::string text = std::to_string(digits) + "e-" + std::to_string(places);
  ASSERT_EQ(decimal(digits, places), std::strtod(text.c_str(), nullptr)) << text;
}

TEST(Decimal, RoundsAsStrtodDoes) {
  CounterRandom random(1, Stream::kTest, 0);
  for (int i = 0; i < 300'000; ++i) {
    const auto bits = static_cast<unsigned>(random.below(64));
    const uint64_t digits = (random.below(1U << 31) << 33 | random.below(1U << 31) << 2) >> bits;
    expect_like_strtod(digits, static_cast<unsigned>(random.below(20)));
  }
}

TEST(Decimal, TiesAndTheirNeighbours) {
  // Halfway between two doubles: an odd number of 54 bits, doubled until it has 64.
  CounterRandom random(2, Stream::kTest, 0);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t tie = (uint64_t{1} << 53 | random.below(1U << 31) << 22 | 1) << random.below(11);
    for (const uint64_t digits : {tie - 1, tie, tie + 1}) expect_like_strtod(digits, 0);
  }
  for (const uint64_t digits :
       {uint64_t{0}, uint64_t{1}, (uint64_t{1} << 53) - 1, uint64_t{1} << 53,
        (uint64_t{1} << 53) + 1, std::numeric_limits<uint64_t>::max()}) {
    for (unsigned places = 0; places < 20; ++places) expect_like_strtod(digits, places);
  }
}

TEST(PlainJson, NumbersAsStrtodReadsThem) {
  CounterRandom random(3, Stream::kTest, 0);
  std::array<char, 64> text{};
  for (int i = 0; i < 200'000; ++i) {
    const double value = (random.uniform_double() - 0.5) * 2000;
    const char* const format =
        std::array{"%.17g]", "%.9g]", "%.2f]", "%.0f]", "%.25f]", "%.5e]"}[random.below(6)];
    const int length = std::snprintf(text.data(), text.size(), format, value);
    double read = 0;
    PlainJson json(text.data(), text.data() + length - 1);
    ASSERT_TRUE(json.number(read)) << text.data();
    ASSERT_EQ(*json.at(), ']') << text.data();
    ASSERT_EQ(read, std::strtod(text.data(), nullptr)) << text.data();
  }
}

bool is_read(const std::string& text) {
  const std::string ended = text + "]";
  double value = 0;
  PlainJson json(ended.data(), ended.data() + text.size());
  return json.number(value) && *json.at() == ']';
}

TEST(PlainJson, RefusesWhatIsNoJsonNumber) {
  for (const char* text :
       {"0", "-0", "0.0", "10", "1e5", "1.5E-7", "-1e+2", "12345678901234567890"})
    EXPECT_TRUE(is_read(text)) << text;
  for (const char* text :
       {"",    "-",   "01",  "-00",   "1.",  ".5",        "1.e5",     "+1",
        "1e",  "1e+", "0x1", "1e999", "NaN", "nan",       "Infinity", "-Infinity",
        "inf", "1 2", "1_0", "1.5.5", "--1", "12345678:", "1/2345678"})
    EXPECT_FALSE(is_read(text)) << text;
}

}  // namespace
}  // namespace dfine
