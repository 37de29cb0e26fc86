#include "html/html_text.h"

#include <algorithm>

#include "core/printable.h"

namespace dfine::inline html {

std::string html_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const std::string_view letter = text.substr(0, std::max<size_t>(length, 1));
    text.remove_prefix(letter.size());
    const auto code = static_cast<unsigned char>(letter[0]);
    if (length == 0 || code < 0x20 || code == 0x7F) {
      out += "\xEF\xBF\xBD";
    } else if (code == '&') {
      out += "&amp;";
    } else if (code == '<') {
      out += "&lt;";
    } else if (code == '>') {
      out += "&gt;";
    } else if (code == '"') {
      out += "&quot;";
    } else if (code == '\'') {
      out += "&#39;";
    } else {
      out += letter;
    }
  }
  return out;
}

}  // namespace dfine::inline html
