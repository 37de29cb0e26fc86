#pragma once
// CRC-32C (Castagnoli polynomial, reflected 0x82F63B78), as RFC 3720 appendix B.4, Btrfs and gRPC
// use it.
#include <cstdint>
#include <span>

namespace dfine {

/// Checksum of `bytes` following data whose checksum is `previous`: crc32c(b, crc32c(a)) ==
/// crc32c(a then b). Uses the processor's own instruction (SSE4.2) where it has one.
uint32_t crc32c(std::span<const uint8_t> bytes, uint32_t previous = 0);

/// The same by tables, on any processor.
uint32_t crc32c_portable(std::span<const uint8_t> bytes, uint32_t previous = 0);

}  // namespace dfine
