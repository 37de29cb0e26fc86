#include "files/output_file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/error.h"
#include "core/log.h"
#include "error_of.h"
#include "file_size_limit.h"
#include "files/atomic_path.h"
#include "files/file_error.h"
#include "python.h"

namespace dfine {
namespace {

std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

TEST(OutputFile, ReplacesOrAppends) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.txt";
  for (const std::string text : {"first\n", "second\n"}) {
    OutputFile out(path);
    out.write(text);
    out.close();
  }
  EXPECT_EQ(read(path), "second\n");
  OutputFile out(path, OutputFile::Mode::kAppend);
  out.write("third\n");
  EXPECT_EQ(read(path), "second\nthird\n");  // nothing is held back
}

TEST(OutputFile, AFullDiskIsNamed) {
  OutputFile out("/dev/full");
  const std::string error = error_of([&] { out.write("x"); });
  EXPECT_TRUE(has(error, "cannot write /dev/full: No space left on device")) << error;
  EXPECT_TRUE(has(error, "free some space")) << error;
}

TEST(OutputFile, WhatFitsIsWrittenAndTheRestIsAnError) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.bin";
  OutputFile out(path, OutputFile::Mode::kTruncate, "the/shown/name");
  std::string error;
  {
    const FileSizeLimit limit(1000);
    out.write(std::string(700, 'x'));
    error = error_of([&] { out.write(std::string(700, 'y')); });
  }
  EXPECT_TRUE(has(error, "cannot write the/shown/name: File too large")) << error;
  EXPECT_TRUE(has(error, "ulimit -f")) << error;
  EXPECT_EQ(read(path).size(), 1000u);
}

TEST(OutputFile, AFolderThatDoesNotExist) {
  const std::string error = error_of([] { OutputFile out("/nonexistent/a.txt"); });
  EXPECT_TRUE(has(error, "cannot open /nonexistent/a.txt: No such file or directory")) << error;
}

TEST(FileError, EveryReasonHasItsRemedy) {
  const auto error = [](int code) {
    return error_of([&] { throw_file_error("write", "F", code); });
  };
  EXPECT_TRUE(has(error(EIO), "cannot write F: Input/output error\nhint: the disk or"));
  EXPECT_TRUE(has(error(EDQUOT), "cannot write F: Disk quota exceeded\nhint: free some space"));
  EXPECT_TRUE(has(error(EROFS), "cannot write F: Read-only file system\nhint: check the folder's"));
}

TEST(WriteFileAtomically, AFailedWriteLeavesTheOldFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.json", "old");
  std::string error;
  {
    const FileSizeLimit limit(1000);
    error = error_of([&] { write_file_atomically(folder / "a.json", std::string(2000, 'x')); });
  }
  EXPECT_TRUE(has(error, "cannot write " + (folder / "a.json") + ": File too large")) << error;
  EXPECT_EQ(read(folder / "a.json"), "old");
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
  const std::string text = read(folder / "stderr");
  EXPECT_TRUE(has(text, "one\n") && has(text, "two\n")) << text;
  EXPECT_TRUE(has(text, "/dev/full: No space left on device")) << text;
  const size_t said = text.find("messages are lost in the log file");
  ASSERT_NE(said, text.npos) << text;
  EXPECT_EQ(text.find("messages are lost", said + 1), text.npos) << text;
}

}  // namespace
}  // namespace dfine
