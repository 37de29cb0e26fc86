#include "core/printable.h"

#include <gtest/gtest.h>

namespace dfine {
namespace {

TEST(Printable, OrdinaryNamesStay) {
  for (const char* name :
       {"", "photos/a b.jpg", "C:\\x41.jpg", "Größe.jpg", "写真.png", "😀.webp", "e\u0301.jpg"}) {
    EXPECT_EQ(printable(std::string_view(name)), name);
    EXPECT_EQ(printable_lines(name), name);
    EXPECT_EQ(utf8_text(name), name);
  }
}

TEST(Printable, ControlCharacters) {
  EXPECT_EQ(printable("a\x1b[31mb\x07\x7f"), "a\\x1b[31mb\\x07\\x7f");
  EXPECT_EQ(printable("a\r\n\tb"), "a\\r\\n\\tb");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\u009b31m"), "\\u009b31m") << "CSI as one code point";
  EXPECT_EQ(printable("gpj.\u202eexe"), "gpj.\\u202eexe") << "right-to-left override";
  EXPECT_EQ(printable("a\u2028b"), "a\\u2028b") << "line separator";
}

// RFC 3629, section 3 and 4: lone continuation bytes, over-long forms, surrogates, beyond U+10FFFF,
// cut sequences.
TEST(Printable, BytesThatAreNotUtf8) {
  EXPECT_EQ(printable("gr\xfc\xdf.jpg"), "gr\\xfc\\xdf.jpg");
  EXPECT_EQ(printable("\x80"), "\\x80");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");
  EXPECT_EQ(utf8_text("\x1b\xff\n"), "\x1b\\xff\n")
      << "JSON has escapes of its own for control characters";
}

TEST(Printable, LinesOfAMessageStay) {
  EXPECT_EQ(printable_lines("x\n  y\x1b\xff\nhint: z"), "x\n  y\\x1b\\xff\nhint: z");
}

TEST(Printable, TwiceIsOnce) {
  const std::string name = "a\x1b\xff\n\u202e\\n";
  EXPECT_EQ(printable(printable(name)), printable(name));
  EXPECT_EQ(printable_lines(printable(name)), printable(name));
}

TEST(Printable, Paths) {
  EXPECT_EQ(printable(std::filesystem::path("x") / "a\xff\n.jpg"), "x/a\\xff\\n.jpg");
}

}  // namespace
}  // namespace dfine
