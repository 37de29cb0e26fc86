#include "fonts/missing_characters.h"

#include <glib.h>

#include <array>
#include <string>

#include "core/log.h"
#include "core/text.h"

namespace dfine::inline fonts {
namespace {

/// A Debian package with a font for the script.
std::string_view font_package(GUnicodeScript script) {
  switch (script) {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_HANGUL:
    case G_UNICODE_SCRIPT_BOPOMOFO:
      return "fonts-noto-cjk";
    case G_UNICODE_SCRIPT_COMMON:
      return "fonts-symbola";
    default:
      return "fonts-noto-core";
  }
}

/// Its four letters in ISO 15924, such as Hani.
std::string script_code(GUnicodeScript script) {
  const guint32 tag = g_unicode_script_to_iso15924(script);
  std::string code;
  for (int shift = 24; shift >= 0; shift -= 8) code += static_cast<char>(tag >> shift & 0xFF);
  return code;
}

std::string utf8(char32_t character) {
  std::array<char, 6> bytes{};
  return {bytes.data(), static_cast<size_t>(g_unichar_to_utf8(character, bytes.data()))};
}

}  // namespace

void MissingCharacters::add(char32_t character) {
  const GUnicodeScript script = g_unichar_get_script(character);
  if (!scripts_.insert(script).second) return;
  log::warn(str_cat("no font here has \"", utf8(character), "\" (script ", script_code(script),
                    "); labels show its number instead. Install ", font_package(script)));
}

}  // namespace dfine::inline fonts
