#pragma once
// The frame of every page that a program writes: head, look, and a policy by which the browser
// refuses whatever would leave the page.
#include <string>
#include <string_view>
#include <vector>

namespace dfine::inline html {

/// Text that the program was built with, and its SHA-256 in hexadecimal (cmake/Embed.cmake).
struct Asset {
  std::string_view text, sha256;
};

struct HtmlPage {
  std::string title;              // as text, escaped here
  std::vector<Asset> styles;      // after the common look
  std::string body;               // as HTML: whoever makes it escapes names
  std::vector<Asset> scripts;     // at the end of the body, in their order
  bool style_attributes = false;  // whether elements of the body have them
};

/// One file, UTF-8. Its Content-Security-Policy allows these styles and scripts by their hash, and
/// pictures within the page. Everything else is refused: other scripts, requests, forms, frames.
std::string render_page(const HtmlPage& page);

}  // namespace dfine::inline html
