// Every loop that this processor can run against the division.
#include "image/unit_floats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

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
      std::vector<float> memory(3 * pixels + 64, 7);
      void* aligned = memory.data();
      size_t space = 4 * memory.size();
      ASSERT_TRUE(std::align(64, 4, aligned, space));
      for (const size_t shift : {0u, 1u, 8u}) {  // of a line of the cache, and not
        std::ranges::fill(memory, 7.0F);
        float* const out = static_cast<float*>(aligned) + shift;
        loop(planes.data(), pixels, out);
        for (size_t i = 0; i < pixels; ++i)
          for (size_t c = 0; c < 3; ++c)
            ASSERT_EQ(out[3 * i + c], static_cast<float>(planes[c * pixels + i]) / 255.0F);
        for (size_t i = 0; i < memory.size(); ++i) {
          const float* const at = memory.data() + i;
          if (at < out || at >= out + 3 * pixels) {
            ASSERT_EQ(*at, 7);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace dfine
