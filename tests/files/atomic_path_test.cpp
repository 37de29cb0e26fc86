#include "files/atomic_path.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "support/files.h"
#include "support/raises.h"

namespace dfine {
namespace {
namespace fs = std::filesystem;

class AtomicPath : public testing::Test {
 protected:
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(root_)) found.insert(entry.path().filename());
    return found;
  }

  const TemporaryFolder folder_;
  const fs::path root_ = fs::path(folder_ / "").parent_path();
};

using Names = std::set<std::string>;

TEST_F(AtomicPath, FileAppearsAtCommit) {
  {
    AtomicFile file(root_ / "a.json");
    write_file(file.path(), "new");
    EXPECT_EQ(file.path().parent_path(), root_);
    EXPECT_FALSE(fs::exists(root_ / "a.json"));
    file.commit();
  }
  EXPECT_EQ(read_file(root_ / "a.json"), "new");
  EXPECT_EQ(names(), Names{"a.json"});
}

TEST_F(AtomicPath, FileIsReplacedOrLeftAlone) {
  write_file_atomically(root_ / "a.json", "one");
  {
    AtomicFile dropped(root_ / "a.json");
    write_file(dropped.path(), "two");
  }
  EXPECT_EQ(read_file(root_ / "a.json"), "one");
  write_file_atomically(root_ / "a.json", std::string(3000000, 'x'));
  EXPECT_EQ(read_file(root_ / "a.json"), std::string(3000000, 'x'));
  EXPECT_EQ(names(), Names{"a.json"});
}

TEST_F(AtomicPath, FolderAppearsWholeOrNotAtAll) {
  {
    AtomicFolder dropped(root_ / "pack");
    fs::create_directory(dropped.path() / "inner");
    write_file(dropped.path() / "inner" / "f", "1");
  }
  EXPECT_EQ(names(), Names{});
  AtomicFolder folder(root_ / "pack/");  // a closing slash changes nothing
  write_file(folder.path() / "f", "1");
  folder.commit();
  EXPECT_EQ(read_file(root_ / "pack" / "f"), "1");
  EXPECT_EQ(names(), Names{"pack"});
}

TEST_F(AtomicPath, FolderReplacesAFolderWithAllItHeld) {
  fs::create_directories(root_ / "last" / "old");
  AtomicFolder folder(root_ / "last");
  write_file(folder.path() / "f", "2");
  folder.commit();
  EXPECT_EQ(read_file(root_ / "last" / "f"), "2");
  EXPECT_FALSE(fs::exists(root_ / "last" / "old"));
  EXPECT_EQ(names(), Names{"last"});
}

TEST_F(AtomicPath, NewFolderTakesThePlaceOfAnEmptyOneAlone) {
  fs::create_directory(root_ / "pack");
  AtomicFolder first(root_ / "pack");
  write_file(first.path() / "f", "first");
  first.commit_new();
  EXPECT_EQ(read_file(root_ / "pack" / "f"), "first");
  {
    AtomicFolder second(root_ / "pack");
    write_file(second.path() / "f", "second");
    EXPECT_THROW(second.commit_new(), Error);
    AtomicFolder beside(root_ / "file");
    write_file(root_ / "file", "kept");
    EXPECT_THROW(beside.commit_new(), Error);
  }
  EXPECT_EQ(read_file(root_ / "pack" / "f"), "first");
  EXPECT_EQ(read_file(root_ / "file"), "kept");
  EXPECT_EQ(names(), (Names{"file", "pack"}));
}

TEST_F(AtomicPath, WhatIsAskedBeforeReplacingCanPreventIt) {
  {
    AtomicFolder folder(root_ / "pack");
    folder.commit([] { FAIL() << "nothing is replaced"; });
  }
  write_file(root_ / "pack" / "f", "old");
  {
    AtomicFolder folder(root_ / "pack");
    EXPECT_THROW(folder.commit([] { throw Error(ErrorCode::kInternal, "not this one"); }), Error);
  }
  EXPECT_EQ(read_file(root_ / "pack" / "f"), "old");
  EXPECT_EQ(names(), Names{"pack"});
}

TEST_F(AtomicPath, KindsAreNotMixed) {
  write_file(root_ / "file", "kept");
  fs::create_directory(root_ / "folder");
  AtomicFolder folder(root_ / "file");
  EXPECT_TRUE(raises(ErrorCode::kFileExists, [&] { folder.commit(); }, "file"));
  AtomicFile file(root_ / "folder");
  EXPECT_TRUE(raises(ErrorCode::kFileExists, [&] { file.commit(); }, "folder"));
  EXPECT_EQ(read_file(root_ / "file"), "kept");
}

TEST_F(AtomicPath, MissingParentsAreMadeAndRemovedAgainUnlessCommitted) {
  {
    AtomicFile dropped(root_ / "a" / "b" / "file");
    EXPECT_TRUE(fs::is_directory(root_ / "a" / "b"));
  }
  EXPECT_EQ(names(), Names{});
  {
    AtomicFolder dropped(root_ / "a" / "b" / "pack");
    write_file(root_ / "a" / "other", "of another process");
  }
  EXPECT_FALSE(fs::exists(root_ / "a" / "b"));
  EXPECT_EQ(read_file(root_ / "a" / "other"), "of another process");
  AtomicFolder folder(root_ / "c" / "pack");
  folder.commit();
  EXPECT_EQ(names(), (Names{"a", "c"}));
  EXPECT_TRUE(fs::is_directory(root_ / "c" / "pack"));
}

TEST_F(AtomicPath, UnusableNamesAreErrors) {
  write_file(root_ / "file", "kept");
  EXPECT_TRUE(raises(
      ErrorCode::kFileExists, [&] { AtomicFile file(root_ / "file" / "a"); },
      (root_ / "file").string(), "hint"));
  EXPECT_THROW(AtomicFolder(root_ / "file" / "new" / "a"), Error);
  EXPECT_EQ(read_file(root_ / "file"), "kept");
  EXPECT_THROW(AtomicFile(""), Error);
  EXPECT_THROW(AtomicFolder("/"), Error);
  EXPECT_THROW(AtomicFolder(".."), Error);
}

TEST_F(AtomicPath, LeftoversOfAKilledProcessAreRemoved) {
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFolder folder(root_ / "pack");
    write_file(folder.path() / "f", "1");
    ::_exit(0);  // no destructor runs
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_EQ(names().size(), 1U);
  AtomicFolder other(root_ / "other");  // another target's leftovers are left alone
  EXPECT_EQ(names().size(), 2U);
  AtomicFolder again(root_ / "pack");
  AtomicFolder concurrent(root_ / "pack");  // a live writer's files are too
  EXPECT_EQ(names().size(), 3U);
  EXPECT_TRUE(fs::exists(again.path()));
}

}  // namespace
}  // namespace dfine
