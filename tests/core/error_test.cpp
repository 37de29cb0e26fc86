#include "core/error.h"

#include <gtest/gtest.h>

#include <string>

namespace dfine {
namespace {

TEST(Error, PrintsMessageContextAndHintInOrder) {
  Error error("image/size is 0", "pack the data again");
  error.add_context("in record 3").add_context("in shard-00001.h5");
  EXPECT_STREQ(error.what(),
               "image/size is 0\n  in record 3\n  in shard-00001.h5\nhint: pack the data again");
  EXPECT_EQ(error.message(), "image/size is 0");
  EXPECT_EQ(error.context(), (std::vector<std::string>{"in record 3", "in shard-00001.h5"}));
}

TEST(Error, WithoutHintIsOneLine) {
  EXPECT_STREQ(Error("x").what(), "x");
}

}  // namespace
}  // namespace dfine
