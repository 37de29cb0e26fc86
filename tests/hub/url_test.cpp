#include "hub/url.h"

#include <gtest/gtest.h>

namespace dfine {
namespace {

TEST(Url, PlainHttpIsForThisMachine) {
  for (const char* url : {"https://huggingface.co", "http://127.0.0.1:80", "http://localhost:1/a",
                          "http://[::1]:8000", "http://127.1.2.3"})
    EXPECT_TRUE(is_allowed(url)) << url;
  for (const char* url :
       {"http://huggingface.co", "http://127.0.0.1.example.org", "http://localhost.example.org",
        "ftp://127.0.0.1", "file:///etc/passwd", "huggingface.co", "", "https://a:b@example.org",
        "http://example.org@127.0.0.1", "http://127.0.0.1@example.org"})
    EXPECT_FALSE(is_allowed(url)) << url;
}

TEST(Url, OriginIsSchemeHostAndPort) {
  EXPECT_TRUE(same_origin("https://a.org/x", "https://a.org:443/y"));
  EXPECT_FALSE(same_origin("https://a.org", "http://a.org"));
  EXPECT_FALSE(same_origin("https://a.org", "https://b.a.org"));
  EXPECT_FALSE(same_origin("https://a.org", "https://a.org.b"));
  EXPECT_FALSE(same_origin("http://127.0.0.1:1", "http://127.0.0.1:2"));
  EXPECT_FALSE(same_origin("", ""));
}

TEST(Url, RedirectsMayBeRelative) {
  EXPECT_EQ(redirected("https://a.org/x/y?q=1", "/z"), "https://a.org/z");
  EXPECT_EQ(redirected("https://a.org/x/y", "z"), "https://a.org/x/z");
  EXPECT_EQ(redirected("https://a.org/x", "https://b.org/y?s=1"), "https://b.org/y?s=1");
  EXPECT_EQ(redirected("https://a.org/x", "//b.org/y"), "https://b.org/y");
}

TEST(Url, MessagesHaveNoSecrets) {
  EXPECT_EQ(without_secrets("https://a:b@c.org/d?signature=e#f"), "https://c.org/d");
  EXPECT_EQ(host_of("https://c.org/d"), "c.org");
  EXPECT_EQ(host_of("http://127.0.0.1:81/d"), "127.0.0.1:81");
}

}  // namespace
}  // namespace dfine
