#include "core/random.h"

#include <cstddef>

namespace dfine {
namespace {

// Multipliers and Weyl constants from the paper's reference (Random123, philox.h).
constexpr uint32_t kM0 = 0xD2511F53, kM1 = 0xCD9E8D57, kW0 = 0x9E3779B9, kW1 = 0xBB67AE85;

uint64_t splitmix(
    uint64_t x) {  // Steele et al. 2014: spreads seeds that differ in few bits over the whole key
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(kM0) * c[0];
    const uint64_t p1 = static_cast<uint64_t>(kM1) * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += kW0;
    k[1] += kW1;
  }
  return c;
}

CounterRandom::CounterRandom(uint64_t seed, Stream stream, uint64_t a, uint32_t b)
    : counter_{0, b, static_cast<uint32_t>(a), static_cast<uint32_t>(a >> 32)} {
  const uint64_t key = splitmix(splitmix(seed) ^ static_cast<uint64_t>(stream));
  key_ = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
}

uint32_t CounterRandom::next_u32() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[static_cast<size_t>(used_++)];
}

uint64_t CounterRandom::next_u64() {
  const uint64_t high = next_u32();
  return high << 32 | next_u32();
}

float CounterRandom::uniform() {
  return static_cast<float>(next_u32() >> 8) * 0x1p-24F;
}
double CounterRandom::uniform_double() {
  return static_cast<double>(next_u64() >> 11) * 0x1p-53;
}

uint64_t CounterRandom::below(uint64_t bound) {
  // Lemire, "Fast random integer generation in an interval", 2019.
  __extension__ using u128 = unsigned __int128;
  u128 product = static_cast<u128>(next_u64()) * bound;
  auto low = static_cast<uint64_t>(product);
  if (low < bound) {
    const uint64_t threshold = -bound % bound;
    while (low < threshold) {
      product = static_cast<u128>(next_u64()) * bound;
      low = static_cast<uint64_t>(product);
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

}  // namespace dfine
