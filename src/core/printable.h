#pragma once
// Text of other people, such as names of files and classes, in what people read. A terminal obeys
// control characters, and a name with a newline could look like a separate message. Everything that
// is printed or logged goes through here.
//
// Escapes are `\n`, `\r`, `\t`, and `\xNN` for a byte that is a control character or not UTF-8.
// `\uNNNN` stands for the code points beyond ASCII that control a terminal or change the direction
// of text. Everything else, backslashes included, stays as it is: escaping twice changes nothing.
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace dfine {

/// Bytes of the UTF-8 sequence at the start of `text`; 0 where there is none (RFC 3629, section 4).
size_t utf8_length(std::string_view text);

/// `name` on one line that is safe to print.
std::string printable(std::string_view name);
std::string printable(const std::same_as<std::filesystem::path> auto& path) {
  return printable(std::string_view(path.native()));
}

/// The same for a message of several lines: newlines stay.
std::string printable_lines(std::string_view text);

/// `name` as UTF-8, for JSON: bytes that are not UTF-8 as `\xNN`, so that different names stay
/// different.
std::string utf8_text(std::string_view name);

}  // namespace dfine
