// Every loop that this processor can run against the division.
#include "image/unit_floats.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace dfine {
namespace {

TEST(UnitFloats, AreTheBytesDividedBy255) {
  for (size_t pixels : {1u, 15u, 16u, 17u, 255u, 256u, 1000u}) {
    CounterRandom random(7, Stream::kTest, pixels);
    std::vector<uint8_t> planes(3 * pixels);
    for (uint8_t& byte : planes) byte = static_cast<uint8_t>(random.below(256));
    for (size_t x = 0; x < std::min<size_t>(256, pixels); ++x)
      planes[x] = static_cast<uint8_t>(x);  // all there are
    for (const ToUnitFloats loop : usable_unit_float_loops()) {
      std::vector<float> out(3 * pixels + 16, 7);  // nothing behind them is written
      loop(planes.data(), pixels, out.data());
      for (size_t i = 0; i < pixels; ++i)
        for (size_t c = 0; c < 3; ++c)
          ASSERT_EQ(out[3 * i + c], static_cast<float>(planes[c * pixels + i]) / 255.0F);
      for (size_t i = 3 * pixels; i < out.size(); ++i) ASSERT_EQ(out[i], 7);
    }
  }
}

}  // namespace
}  // namespace dfine
