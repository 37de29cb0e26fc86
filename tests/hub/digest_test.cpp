#include "hub/digest.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/files.h"

namespace dfine {
namespace {

// "abc" and a million times "a": FIPS 180-2, appendix B. git: `git hash-object` of the same bytes.
TEST(Digest, KnownValues) {
  const TemporaryFolder folder;
  const auto path = folder / "file";
  write_file(path, "abc");
  EXPECT_EQ(sha256_of(path), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(git_blob_id(path), "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f");
  write_file(path, std::string(1000000, 'a'));
  EXPECT_EQ(sha256_of(path), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  write_file(path, "");
  EXPECT_EQ(git_blob_id(path), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_THROW(sha256_of(folder / "none"), Error);
}

}  // namespace
}  // namespace dfine
