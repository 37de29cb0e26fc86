#include <gtest/gtest.h>

#include "html/base64.h"
#include "html/html_page.h"
#include "html/html_text.h"

namespace dfine {
namespace {

std::string encoded(std::string_view text) {
  return base64({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

// RFC 4648, section 10.
TEST(Base64, VectorsOfTheStandard) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xFB\xFF"), "+/8=");  // both letters that are no alphanumerics
}

TEST(Base64, OfHexadecimalDigits) {
  EXPECT_EQ(base64_of_hex("666f6f62"), "Zm9vYg==");
}

TEST(HtmlText, EscapesMarkupAndReplacesWhatIsNoText) {
  EXPECT_EQ(html_text("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(html_text("d\xC3\xA9j\xC3\xA0"), "d\xC3\xA9j\xC3\xA0");
  EXPECT_EQ(html_text("a\n\x7F\xFF"), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

// The hash is that of `printf 'alert(1)' | openssl dgst -sha256`, and with -binary | base64.
TEST(HtmlPage, AllowsItsScriptsByTheirHash) {
  const std::string page = render_page(
      {.title = "<t>",
       .styles = {},
       .body = "<p>",
       .scripts = {
           {"alert(1)", "6e11c72f7cf6bc383152dd16ddd5903aba6bb1c99d6b6639a4bb0b838185fa92"}}});
  EXPECT_NE(page.find("<title>&lt;t&gt;</title>"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'; script-src "
                      "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; "),
            std::string::npos);
  EXPECT_NE(page.find("<p><script>alert(1)</script>"), std::string::npos);
}

}  // namespace
}  // namespace dfine
