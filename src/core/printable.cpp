#include "core/printable.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace dfine {
namespace {

uint32_t code_point(std::string_view letter) {
  if (letter.size() == 1) return static_cast<uint8_t>(letter[0]);
  uint32_t code = static_cast<uint8_t>(letter[0]) & (0x7FU >> letter.size());
  for (const char next : letter.substr(1)) code = code << 6 | (static_cast<uint8_t>(next) & 0x3FU);
  return code;
}

/// C0 and C1 control characters, line and paragraph separators, and the marks that change the
/// direction of text (Unicode, UAX 9).
bool controls(uint32_t code) {
  const auto within = [code](uint32_t first, uint32_t last) {
    return code >= first && code <= last;
  };
  return code < 0x20 || within(0x7F, 0x9F) || code == 0x061C || within(0x200E, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2066, 0x2069);
}

std::string escape(uint32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), code < 0x80 ? "\\x%02x" : "\\u%04x",
                static_cast<unsigned>(code));
  return text.data();
}

std::string escape_byte(char byte) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\x%02x",
                static_cast<unsigned>(static_cast<uint8_t>(byte)));
  return text.data();
}

/// `text` with what is not UTF-8 escaped, and the letters for which `escaped` says so.
template <class Escaped>
std::string rewrite(std::string_view text, Escaped escaped) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const std::string_view letter = text.substr(0, std::max<size_t>(length, 1));
    text.remove_prefix(letter.size());
    if (length == 0) {
      out += escape_byte(letter[0]);
    } else if (const uint32_t code = code_point(letter); escaped(code)) {
      out += escape(code);
    } else {
      out += letter;
    }
  }
  return out;
}

}  // namespace

size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t k) { return k < text.size() ? static_cast<uint8_t>(text[k]) : 0U; };
  const auto continues = [&](size_t k, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(k) >= low && byte(k) <= high;
  };
  if (text.empty()) return 0;
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF)
    return continues(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && continues(2) ? 3
                                                                                                : 0;
  if (lead >= 0xF0 && lead <= 0xF4)
    return continues(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && continues(2) &&
                   continues(3)
               ? 4
               : 0;
  return 0;
}

std::string printable(std::string_view name) {
  return rewrite(name, controls);
}

std::string printable_lines(std::string_view text) {
  return rewrite(text, [](uint32_t code) { return code != '\n' && controls(code); });
}

std::string utf8_text(std::string_view name) {
  return rewrite(name, [](uint32_t) { return false; });
}

}  // namespace dfine
