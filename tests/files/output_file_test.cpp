#include "files/output_file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "core/log.h"
#include "files/atomic_path.h"
#include "files/file_error.h"
#include "support/file_size_limit.h"
#include "support/files.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

TEST(OutputFile, ReplacesOrAppends) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.txt";
  for (const std::string text : {"first\n", "second\n"}) {
    OutputFile out(path);
    out.write(text);
    out.close();
  }
  EXPECT_EQ(read_file(path), "second\n");
  OutputFile out(path, OutputFile::Mode::kAppend);
  out.write("third\n");
  EXPECT_EQ(read_file(path), "second\nthird\n");  // nothing is held back
}

TEST(OutputFile, AFullDiskIsNamed) {
  OutputFile out("/dev/full");
  EXPECT_TRUE(raises(kDiskFull, [&] { out.write("x"); }, "/dev/full", "hint"));
}

TEST(OutputFile, WhatFitsIsWrittenAndTheRestIsAnError) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.bin";
  OutputFile out(path, OutputFile::Mode::kTruncate, "the/shown/name");
  Caught error;
  {
    const FileSizeLimit limit(1000);
    out.write(std::string(700, 'x'));
    error = catch_error([&] { out.write(std::string(700, 'y')); });
  }
  EXPECT_TRUE(error.is(kWriteFailed, "the/shown/name", std::strerror(EFBIG), "ulimit -f"));
  EXPECT_EQ(read_file(path).size(), 1000u);
}

TEST(OutputFile, ALineIsThereWholeOrNotAtAll) {
  for (const auto mode : {OutputFile::Mode::kTruncate, OutputFile::Mode::kAppend}) {
    const TemporaryFolder folder;
    const std::string path = folder / "a.jsonl";
    OutputFile out(path, mode);
    out.append_whole("first\n");
    {
      const FileSizeLimit limit(10);
      EXPECT_EQ(catch_error([&] { out.append_whole("second\n"); }).code, kWriteFailed);
    }
    EXPECT_EQ(read_file(path), "first\n");
    out.append_whole("third\n");
    EXPECT_EQ(read_file(path), "first\nthird\n");
  }
}

TEST(OutputFile, AFolderThatDoesNotExist) {
  EXPECT_TRUE(raises(
      kWriteFailed, [] { OutputFile out("/nonexistent/a.txt"); }, "/nonexistent/a.txt",
      std::strerror(ENOENT)));
}

TEST(FileError, EveryReasonHasItsRemedy) {
  for (const auto& [code, expected] :
       {std::pair{EIO, kWriteFailed}, {EDQUOT, kDiskFull}, {EROFS, kWriteFailed}}) {
    EXPECT_TRUE(raises(
        expected, [&] { throw_file_error("write", "F", code); }, "F", std::strerror(code), "hint"));
  }
}

TEST(WriteFileAtomically, AFailedWriteLeavesTheOldFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.json", "old");
  Caught error;
  {
    const FileSizeLimit limit(1000);
    error = catch_error([&] { write_file_atomically(folder / "a.json", std::string(2000, 'x')); });
  }
  EXPECT_TRUE(error.is(kWriteFailed, folder / "a.json", std::strerror(EFBIG)));
  EXPECT_EQ(read_file(folder / "a.json"), "old");
  const std::filesystem::directory_iterator entries(folder / "");
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

// In a separate process, since the file stays with the log.
TEST(Log, AFileThatCannotBeWrittenIsSaidOnceAndCostsNoMessage) {
  const TemporaryFolder folder;
  const auto child = [&] {
    if (std::freopen((folder / "stderr").c_str(), "w", stderr) == nullptr) std::_Exit(2);
    log::add_file("/dev/full");
    log::info("one");
    log::info("two");
    std::_Exit(0);
  };
  EXPECT_EXIT(child(), testing::ExitedWithCode(0), "");
  const std::string text = read_file(folder / "stderr");
  EXPECT_TRUE(names(text, "one\n", "two\n", "/dev/full", std::strerror(ENOSPC)));
  EXPECT_EQ(text.find("/dev/full"), text.rfind("/dev/full")) << text;
}

}  // namespace
}  // namespace dfine
