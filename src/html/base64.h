#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dfine::inline html {

/// RFC 4648, section 4, with padding.
std::string base64(std::span<const uint8_t> bytes);

/// The same of bytes that are given as hexadecimal digits, two for each.
std::string base64_of_hex(std::string_view digits);

}  // namespace dfine::inline html
