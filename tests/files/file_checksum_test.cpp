#include "files/file_checksum.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "core/crc32c.h"
#include "support/files.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

TEST(FileChecksum, OfAllBytes) {
  const TemporaryFolder folder;
  write_file(folder / "a", "123456789");  // the check value of CRC-32C
  EXPECT_EQ(file_checksum(folder / "a"), (FileChecksum{.size = 9, .crc32c = 0xE3069283}));
  write_file(folder / "a", "");
  EXPECT_EQ(file_checksum(folder / "a"), (FileChecksum{.size = 0, .crc32c = 0}));
}

// It is read in pieces of 4 MiB.
TEST(FileChecksum, OfLargeFiles) {
  const TemporaryFolder folder;
  constexpr size_t kPiece = size_t{4} << 20;
  std::string bytes;
  for (uint32_t i = 0; bytes.size() < 2 * kPiece + 5; ++i) bytes += std::to_string(i * 2654435761U);
  for (const size_t size : {kPiece - 1, kPiece, kPiece + 1, 2 * kPiece, 2 * kPiece + 5}) {
    const std::string part = bytes.substr(0, size);
    write_file(folder / "a", part);
    EXPECT_EQ(file_checksum(folder / "a"), (FileChecksum{.size = size, .crc32c = crc32c(part)}));
  }
}

// Without waiting for someone who writes to the pipe.
TEST(FileChecksum, APipeIsNoFile) {
  const TemporaryFolder folder;
  const std::string path = folder / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(raises(kFormatInvalid, [&] { file_checksum(path); }, path));
}

TEST(FileChecksum, WhatCannotBeReadIsNamed) {
  const TemporaryFolder folder;
  EXPECT_TRUE(raises(kFileMissing, [&] { file_checksum(folder / "none"); }, folder / "none"));
  EXPECT_TRUE(raises(kFileUnreadable, [&] { file_checksum(folder / ""); }, folder / ""));
}

}  // namespace
}  // namespace dfine
