#include "core/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace dfine {
using enum ErrorCode;
namespace {

TEST(Error, PrintsMessageCodeContextAndHintInOrder) {
  Error error(kRecordInvalid, "image/size is 0", "pack the data again");
  error.add_context("in record 3").add_context("in shard-00001.h5");
  EXPECT_STREQ(error.what(),
               "image/size is 0 [record_invalid]\n  in record 3\n  in shard-00001.h5\n"
               "hint: pack the data again");
  EXPECT_EQ(error.message(), "image/size is 0");
  EXPECT_EQ(error.code(), kRecordInvalid);
  EXPECT_EQ(error.context(), (std::vector<std::string>{"in record 3", "in shard-00001.h5"}));
}

TEST(Error, WithoutHintIsOneLine) {
  EXPECT_STREQ(Error(kInternal, "x").what(), "x [internal]");
}

TEST(Error, TheCodeEndsTheFirstLine) {
  EXPECT_STREQ(Error(kBadValue, "two are wrong:\n  a\n  b").what(),
               "two are wrong [bad_value]:\n  a\n  b");
}

TEST(Error, UsageIsTheCodeOfAWrongCommandLine) {
  EXPECT_EQ(UsageError("x").code(), kUsage);
  EXPECT_EQ(UsageError(kUnknownKey, "x").code(), kUnknownKey);
}

TEST(Error, TheExitCodeFollowsTheCode) {
  for (const ErrorCode code : {kUsage, kUnknownKey, kBadValue, kMissingKey, kConflictingSettings})
    EXPECT_EQ(Error(code, "x").exit_code(), 2) << to_string(code);
  for (const ErrorCode code : {kFileMissing, kRecordInvalid, kDatasetTooSmall, kInternal})
    EXPECT_EQ(Error(code, "x").exit_code(), 1) << to_string(code);
  EXPECT_EQ(UsageError(kFileMissing, "x").exit_code(), 2) << "of a configuration file";
}

TEST(ErrorCode, OfAFileFollowsTheSystem) {
  EXPECT_EQ(read_error_code(ENOENT), kFileMissing);
  EXPECT_EQ(read_error_code(EACCES), kFileUnreadable);
  EXPECT_EQ(write_error_code(ENOSPC), kDiskFull);
  EXPECT_EQ(write_error_code(EDQUOT), kDiskFull);
  EXPECT_EQ(write_error_code(EROFS), kWriteFailed);
  EXPECT_EQ(write_error_code(EEXIST), kFileExists);
  EXPECT_EQ(write_error_code(ENOTDIR), kFileExists);
  EXPECT_EQ(write_error_code(EISDIR), kFileExists);
}

}  // namespace
}  // namespace dfine
