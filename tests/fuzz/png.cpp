#include <zlib.h>

#include <cstring>

#include "image_target.h"

namespace {

constexpr size_t kSignatureBytes = 8, kChunkFrame = 12;  // length, type and checksum around a
                                                         // chunk's content (PNG specification, 5.3)

uint32_t big_endian(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}

/// Makes every chunk's checksum right; else nearly all mutations would end at the first wrong one,
/// and the decoder behind never run.
void repair_checksums(uint8_t* data, size_t size) {
  for (size_t at = kSignatureBytes; at + kChunkFrame <= size;) {
    const size_t length = big_endian(data + at);
    if (length > size - at - kChunkFrame) return;
    const auto crc =
        static_cast<uint32_t>(::crc32(0, data + at + 4, static_cast<uInt>(length + 4)));
    for (size_t i = 0; i < 4; ++i)
      data[at + 8 + length + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
    at += length + kChunkFrame;
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  const size_t mutated = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 != 0) repair_checksums(data, mutated);  // one in eight keeps its wrong checksums
  return mutated;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return dfine::fuzz::decode_anything({data, size}, dfine::ImageFormat::kPng);
}
