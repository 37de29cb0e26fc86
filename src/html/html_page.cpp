#include "html/html_page.h"

#include "embedded/look.h"
#include "html/base64.h"
#include "html/html_text.h"

namespace dfine::inline html {
namespace {

/// "'sha256-...' 'sha256-...'" (Content Security Policy 3, section 2.3.1).
std::string sources(const std::vector<Asset>& assets) {
  std::string out;
  for (const Asset& asset : assets)
    out += (out.empty() ? "'sha256-" : " 'sha256-") + base64_of_hex(asset.sha256) + "'";
  return out.empty() ? "'none'" : out;
}

void append(std::string& out, std::string_view tag, const std::vector<Asset>& assets) {
  for (const Asset& asset : assets) {
    out += '<';
    out += tag;
    out += '>';
    out += asset.text;
    out += "</";
    out += tag;
    out += ">\n";
  }
}

}  // namespace

std::string render_page(const HtmlPage& page) {
  std::vector<Asset> styles{{embedded::look(), embedded::look_sha256()}};
  styles.insert(styles.end(), page.styles.begin(), page.styles.end());
  std::string out =
      "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
      "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; script-src " +
      sources(page.scripts) + "; style-src " + sources(styles) +
      (page.style_attributes ? "; style-src-attr 'unsafe-inline'" : "") +
      "; img-src data: blob:; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n<title>" +
      html_text(page.title) + "</title>\n";
  append(out, "style", styles);
  out += "</head>\n<body>\n" + page.body;
  append(out, "script", page.scripts);
  return out + "</body>\n</html>\n";
}

}  // namespace dfine::inline html
