#pragma once
// Counter-based random numbers (Philox 4x32-10; Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A draw is a pure function of its key. So neither the number of ranks nor of
// worker threads changes what is drawn.
#include <array>
#include <cstdint>

namespace dfine {

/// One block of Philox 4x32-10.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// What a draw is for; separates the streams that share seed, step and sample.
enum class Stream : uint32_t {
  kShuffle = 1,
  kAugment = 2,
  kDenoising = 3,
  kMultiscale = 4,
  kInit = 5,
  kSplit = 6,
  kDenoisingBoxes = 7,
  kBootstrap = 8,
  kTest = 99
};

/// An endless sequence of draws, wholly determined by (seed, stream, a, b): e.g. a = step or epoch,
/// b = the sample's place in the global batch. Copies continue independently from the same place.
class CounterRandom {
 public:
  CounterRandom(uint64_t seed, Stream stream, uint64_t a, uint32_t b = 0);

  uint32_t next_u32();
  uint64_t next_u64();
  /// Uniform in [0, 1), 24 bits: exactly representable as float.
  float uniform();
  /// Uniform in [0, 1), 53 bits.
  double uniform_double();
  /// Uniform integer in [0, bound), bound > 0; unbiased (Lemire's method).
  uint64_t below(uint64_t bound);

 private:
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

}  // namespace dfine
