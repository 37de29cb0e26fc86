#pragma once
// CRC-32C (Castagnoli polynomial, reflected 0x82F63B78), as RFC 3720 appendix B.4, Btrfs and gRPC
// use it.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dfine {

/// Checksum of `bytes` following data whose checksum is `previous`: crc32c(b, crc32c(a)) ==
/// crc32c(a then b). Uses the processor's own instruction (SSE4.2) where it has one.
uint32_t crc32c(std::span<const uint8_t> bytes, uint32_t previous = 0);

/// The same by tables, on any processor.
uint32_t crc32c_portable(std::span<const uint8_t> bytes, uint32_t previous = 0);

/// Of a text's bytes.
uint32_t crc32c(std::string_view text);

/// As manifests write it: 8 hexadecimal digits.
std::string checksum_text(uint32_t value);
/// The inverse. Throws Error (file_damaged) where the text is no such.
uint32_t checksum_from_text(const std::string& text);

}  // namespace dfine
