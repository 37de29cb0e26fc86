#include "files/atomic_path.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>

#include "core/host_name.h"
#include "core/printable.h"
#include "files/process_id.h"
#include "support/child_process.h"
#include "support/files.h"
#include "support/raises.h"
#include "support/refused_calls.h"

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
  EXPECT_TRUE(raises(ErrorCode::kFileExists, [&] { AtomicFile file(root_ / "folder"); }, "folder"));
  EXPECT_EQ(read_file(root_ / "file"), "kept");
}

TEST_F(AtomicPath, PipesAreNotReplaced) {
  const fs::path pipe = root_ / "pipe", link = root_ / "link";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0666), 0);
  fs::create_symlink("pipe", link);
  for (const fs::path& target : {pipe, link})
    EXPECT_TRUE(raises(
        ErrorCode::kWriteFailed, [&] { AtomicFile file(target); }, target.filename().string()));
  EXPECT_TRUE(fs::is_fifo(pipe));
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
  ChildProcess child([&] {
    AtomicFolder folder(root_ / "pack");
    write_file(folder.path() / "f", "1");
    ::_exit(0);  // no destructor runs
    return 0;
  });
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &ended, WEXITED | WNOWAIT), 0);
  ASSERT_EQ(names().size(), 1U);
  AtomicFolder other(root_ / "other");  // another target's leftovers are left alone
  EXPECT_EQ(names().size(), 2U);
  AtomicFolder again(root_ / "pack");  // the child is a zombie by now
  EXPECT_EQ(names().size(), 2U);
  AtomicFolder concurrent(root_ / "pack");  // a live writer's files are left alone too
  EXPECT_EQ(names().size(), 3U);
  EXPECT_TRUE(fs::exists(again.path()));
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(AtomicPath, LeftoversAreRemovedOnlyIfTheirProcessIsCertainlyGone) {
  ProcessId ended = this_process(), elsewhere;
  ++ended.start;  // the pid is used again
  elsewhere = ended;
  ++elsewhere.pid_namespace;
  ChildProcess child([] { return 0; });
  const std::string gone = std::to_string(child.pid()), host = host_name();
  ASSERT_EQ(child.wait(), 0);

  const std::string prefix = ".a.partial-";
  const Names removed{prefix + to_text(ended) + "-0", prefix + to_text(ended) + "-17",
                      prefix + host + "-" + gone + "-0"};
  const Names kept{prefix + to_text(elsewhere) + "-0",
                   prefix + to_text(this_process()) + "-123456",
                   prefix + "random-0123456789abcdef-0",
                   prefix + host + "-" + std::to_string(::getpid()) + "-0",
                   prefix + "not" + host + "-" + gone + "-0",
                   prefix + host + "-" + gone,
                   prefix + to_text(ended),
                   prefix + to_text(ended) + "-",
                   prefix + to_text(ended) + "-x",
                   ".b.partial-" + to_text(ended) + "-0",
                   "a.partial-" + to_text(ended) + "-0"};
  for (const Names& some : {removed, kept})
    for (const std::string& name : some) write_file(root_ / name, "");
  write_file_atomically(root_ / "a", "");
  Names expected = kept;
  expected.insert("a");
  EXPECT_EQ(names(), expected);
}

TEST_F(AtomicPath, ANameThatIsTakenIsSkipped) {
  const AtomicFile first(root_ / "a");
  const std::string name = first.path().string();
  const size_t number = name.rfind('-') + 1;
  const auto later = [&](unsigned by) {
    return name.substr(0, number) + std::to_string(std::stoul(name.substr(number)) + by);
  };
  write_file(later(1), "of another");
  fs::create_directory(later(2));
  const AtomicFile file(root_ / "a");
  EXPECT_EQ(file.path(), later(3));
  fs::create_directory(later(4));
  write_file(later(5), "of another");
  const AtomicFolder folder(root_ / "a");
  EXPECT_EQ(folder.path(), later(6));
  EXPECT_EQ(read_file(later(1)), "of another");
}

TEST_F(AtomicPath, TheLongestNamesAreWrittenAndTheirLeftoversRemoved) {
  for (const std::string& name :
       {std::string(255, 'n'), std::string(189, 'n'), "é" + std::string(130, 'x'),
        std::string(119, 'x') + "éé" + std::string(20, 'x')}) {
    ChildProcess killed([&] {
      AtomicFolder folder(root_ / name);
      ::_exit(folder.path().filename().string().size() <= 255 ? 0 : 1);
      return 0;
    });
    ASSERT_EQ(killed.wait(), 0);
    ASSERT_EQ(names().size(), 1U);
    const std::string leftover = *names().begin();
    EXPECT_EQ(printable(leftover), leftover) << "still UTF-8";
    AtomicFolder folder(root_ / name);
    EXPECT_FALSE(fs::exists(root_ / leftover));
    folder.commit();
    EXPECT_EQ(names(), Names{name});
    fs::remove(root_ / name);
  }
}

TEST_F(AtomicPath, AllLeftoversAreRemovedForWhoHoldsTheFolder) {
  ProcessId elsewhere = this_process();
  elsewhere.boot = std::string(32, '0');
  fs::create_directories(root_ / (".last.partial-" + to_text(elsewhere) + "-0") / "inner");
  write_file(root_ / ".m.json.partial-otherhost-1-0", "");
  const Names kept{"last", ".last", "a.partial-x", ".partial-", ".lock-000001"};
  for (const std::string& name : kept) write_file(root_ / name, "");
  remove_leftovers_in(root_);
  EXPECT_EQ(names(), kept);
  remove_leftovers_in(root_ / "missing");
}

// A network file system without RENAME_EXCHANGE (NFS, Lustre).
TEST_F(AtomicPath, AFolderIsReplacedWithoutExchangeToo) {
  ChildProcess child([&] {
    if (!refuse_calls({SYS_renameat2}, EINVAL)) return kSkipped;
    fs::create_directories(root_ / "last" / "old");
    AtomicFolder folder(root_ / "last");
    write_file(folder.path() / "f", "2");
    folder.commit();
    fs::create_directories(root_ / "elsewhere" / "kept");
    fs::create_directory_symlink(root_ / "elsewhere", root_ / "link");
    AtomicFolder over_link(root_ / "link");
    write_file(over_link.path() / "f", "3");
    over_link.commit();
    return 0;
  });
  const int code = child.wait();
  if (code == kSkipped) GTEST_SKIP() << "seccomp is not allowed";
  ASSERT_EQ(code, 0);
  EXPECT_EQ(read_file(root_ / "last" / "f"), "2");
  EXPECT_FALSE(fs::exists(root_ / "last" / "old"));
  EXPECT_EQ(read_file(root_ / "link" / "f"), "3");
  EXPECT_TRUE(fs::exists(root_ / "elsewhere" / "kept"));
  EXPECT_EQ(names(), (Names{"elsewhere", "last", "link"}));
}

// After a power failure the new name may be lost; then the old content must be there.
TEST_F(AtomicPath, TheOldContentStaysUntilTheNewNameIsOnDisk) {
  for (const bool exchange : {true, false}) {
    write_file_atomically(root_ / "last" / "old", "1");
    ChildProcess child([&] {
      AtomicFolder folder(root_ / "last");
      write_file(folder.path() / "new", "2");
      bool refused = false;
      const Caught error = catch_error([&] {
        folder.commit([&] {
          refused =
              (exchange || refuse_calls({SYS_renameat2}, EINVAL)) && refuse_calls({SYS_fsync}, EIO);
        });
      });
      if (!refused) return kSkipped;
      return error.is(ErrorCode::kWriteFailed, root_.string()) ? 0 : 1;
    });
    const int code = child.wait();
    if (code == kSkipped) GTEST_SKIP() << "seccomp is not allowed";
    ASSERT_EQ(code, 0);
    EXPECT_EQ(read_file(root_ / "last" / "new"), "2");
    std::string found;
    for (const std::string& name : names()) found += read_file(root_ / name / "old");
    EXPECT_EQ(found, "1");
    fs::remove_all(root_ / "last");
    remove_leftovers_in(root_);
  }
}

}  // namespace
}  // namespace dfine
