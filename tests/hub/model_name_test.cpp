#include "hub/model_name.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "support/files.h"

namespace dfine {
namespace {

TEST(ModelName, IsRead) {
  EXPECT_EQ(parse_model_name("ustc-community/dfine-small-coco"),
            (ModelName{"ustc-community/dfine-small-coco", "main"}));
  EXPECT_EQ(parse_model_name("a/b.c_d@refs/pr/1"), (ModelName{"a/b.c_d", "refs/pr/1"}));
  EXPECT_EQ(to_text({"a/b", "main"}), "a/b");
  EXPECT_EQ(to_text({"a/b", "v1"}), "a/b@v1");
}

TEST(ModelName, OtherFormsAreNone) {
  for (const char* text :
       {"",         "a",      "a/",         "/a",      "a/b/c",    "a//b",    "a/b@",
        "a/b@../c", "a/b@/c", "a/b@c/../d", "a/b@.x",  "a/b@c/.d", "a/b@-c",  "a/b c",
        "../b",     "a/..",   "a/b--c",     "a/b..c",  "-a/b",     "a/b-",    "a/.b",
        "a/b?c",    "a/b#c",  "a/b\n",      "a/b@c d", "a/b@c?",   "a/b@c@d", "ä/b"})
    EXPECT_FALSE(parse_model_name(text)) << text;
  EXPECT_FALSE(parse_model_name("a/" + std::string(97, 'b')));
}

TEST(ModelName, CommitsAreFortyDigits) {
  EXPECT_TRUE(is_commit("0123456789abcdef0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("0123456789ABCDEF0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("0123456789abcdef"));
}

TEST(ModelName, WhatIsAPath) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder / "");
  std::filesystem::create_directories("org/here");
  write_file("file", "x");
  std::filesystem::create_symlink("nothing", "link");
  for (const char* value : {"./a", "../a", "/a", "~/a", "org/here", "file", "link", "."})
    EXPECT_TRUE(is_path(value)) << value;
  for (const char* value : {"org/there", "dfine-s-coco", "a"})
    EXPECT_FALSE(is_path(value)) << value;
  std::filesystem::current_path(before);
}

TEST(ModelName, HomeIsExpanded) {
  ::setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(expanded_path("~/w"), "/home/someone/w");
  EXPECT_EQ(expanded_path("~other/w"), "~other/w");
  EXPECT_EQ(expanded_path("./w"), "./w");
}

}  // namespace
}  // namespace dfine
