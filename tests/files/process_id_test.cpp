#include "files/process_id.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "support/child_process.h"

namespace dfine {
namespace {

/// Both ends of a pipe.
struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends.data()), 0); }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void send(const std::string& text) const {
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  /// What one send() sent.
  std::string receive() const {
    std::array<char, 256> text{};
    return {text.data(),
            static_cast<size_t>(std::max<ssize_t>(::read(ends[0], text.data(), text.size()), 0))};
  }

  std::array<int, 2> ends{};
};

TEST(ProcessId, IsTheSameAtEachCallAndInEachThread) {
  const ProcessId id = this_process();
  EXPECT_EQ(id.boot.size(), 32u);
  EXPECT_EQ(id.pid, ::getpid());
  EXPECT_NE(id.pid_namespace, 0u);
  EXPECT_NE(id.start, 0u);
  EXPECT_EQ(id.random, "");
  std::thread([&] { EXPECT_EQ(this_process(), id); }).join();
  EXPECT_FALSE(is_gone(id));
}

TEST(ProcessId, TextIsSafeInNamesAndReadBack) {
  ProcessId id = this_process();
  EXPECT_EQ(parse_process_id(to_text(id)), id);
  id.pid_namespace = id.time_namespace = UINT32_MAX;
  id.pid = INT32_MAX;
  id.start = UINT64_MAX;
  EXPECT_EQ(parse_process_id(to_text(id)), id);
  EXPECT_LE(to_text(id).size(), 100u);
  EXPECT_EQ(to_text(id).find_first_not_of("0123456789abcdef-"), std::string::npos);
  ProcessId random;
  random.random = random_token();
  EXPECT_EQ(parse_process_id(to_text(random)), random);
  EXPECT_FALSE(is_gone(random));
}

TEST(ProcessId, OtherTextsAreRefused) {
  const std::string boot(32, 'a');
  ASSERT_TRUE(parse_process_id(boot + "-f-0-12-34"));
  for (const std::string& text :
       {std::string(), std::string("-"), std::string("random"), std::string("random-12"),
        boot + "-f-0-12", boot + "-f-0-12-34-5", boot + "-f-0-12-", boot + "-f-0-012-34",
        boot + "-f-0--12-34", boot + "-f-0-0-34", boot + "-g-0-12-34", boot + "-f-0-x-34",
        boot.substr(1) + "-f-0-12-34", boot + "-f-0-99999999999-34", " " + boot + "-f-0-12-34",
        std::string("host-12-0")})
    EXPECT_FALSE(parse_process_id(text)) << text;
}

TEST(ProcessId, AChildHasAnotherOneAndIsGoneWhenItHasEnded) {
  const Pipe from, to;
  ChildProcess child([&] {
    ::prctl(PR_SET_NAME, "a) R (b) 1");  // this name stands in /proc/PID/stat
    from.send(to_text(this_process()));
    to.receive();
    return 0;
  });
  const auto id = parse_process_id(from.receive());
  ASSERT_TRUE(id);
  EXPECT_EQ(id->pid, child.pid());
  EXPECT_NE(*id, this_process());
  EXPECT_FALSE(is_gone(*id));

  to.send("end");
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(is_gone(*id)) << "a zombie";
  EXPECT_EQ(child.wait(), 0);
  EXPECT_TRUE(is_gone(*id)) << "no such pid";
}

TEST(ProcessId, AnotherStartOfThePidIsAnotherProcess) {
  ProcessId id = this_process();
  ++id.start;
  EXPECT_TRUE(is_gone(id));
  ++id.time_namespace;  // there, the same start is another number
  EXPECT_FALSE(is_gone(id));
}

TEST(ProcessId, NothingIsKnownOfAnotherBootOrNamespace) {
  ProcessId id = this_process();
  ++id.start;
  ProcessId other_namespace = id, other_boot = id;
  ++other_namespace.pid_namespace;
  other_boot.boot = std::string(32, '0');
  for (const ProcessId& other : {other_namespace, other_boot}) {
    EXPECT_FALSE(is_gone(other));
    ProcessId no_such_pid = other;
    no_such_pid.pid = INT32_MAX;
    EXPECT_FALSE(is_gone(no_such_pid));
  }
}

TEST(ProcessId, AFirstThreadThatHasEndedIsNoZombie) {
  const Pipe from, to;
  ChildProcess child([&] {
    std::thread([&] {
      from.send(to_text(this_process()));
      to.receive();
      ::_exit(0);
    }).detach();
    ::syscall(SYS_exit, 0);  // this thread alone, without unwinding
    return 1;
  });
  const auto id = parse_process_id(from.receive());
  ASSERT_TRUE(id);
  const auto state = [&] {
    std::ifstream stat("/proc/" + std::to_string(child.pid()) + "/stat");
    std::string pid, name, letter;
    stat >> pid >> name >> letter;
    return letter;
  };
  for (int i = 0; i < 5000 && state() != "Z"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  ASSERT_EQ(state(), "Z");
  EXPECT_FALSE(is_gone(*id));
  to.send("end");
  EXPECT_EQ(child.wait(), 0);
}

// As in a container whose /proc is still that of the host: pid 1 here is another process there.
TEST(ProcessId, ANamespaceOfPidsIsToldApart) {
  const Pipe from;
  const ProcessId outside = this_process();
  ChildProcess child([&] {
    if (::unshare(CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
      return kSkipped;
    ChildProcess first([&] {
      if (::getpid() != 1 || is_gone(outside)) return 1;
      const Pipe up, down;
      ChildProcess second([&] {
        up.send(to_text(this_process()));
        down.receive();
        return 0;
      });
      const auto id = parse_process_id(up.receive());
      if (!id || id->pid != second.pid() || is_gone(*id) || is_gone(this_process())) return 2;
      down.send("end");
      if (second.wait() != 0 || !is_gone(*id)) return 3;
      from.send(to_text(this_process()));
      return 0;
    });
    return first.wait();
  });
  const int code = child.wait();
  if (code == kSkipped) GTEST_SKIP() << "no new namespace of pids";
  ASSERT_EQ(code, 0);
  const auto inside = parse_process_id(from.receive());
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->pid, 1);
  EXPECT_EQ(inside->boot, outside.boot);
  EXPECT_NE(inside->pid_namespace, outside.pid_namespace);
  EXPECT_FALSE(is_gone(*inside)) << "it is, but that cannot be seen from here";
}

TEST(ProcessId, IsRandomWithoutProc) {
  ChildProcess child([] {
    if ((::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return kSkipped;
    const ProcessId before = this_process();
    if (::mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return kSkipped;
    const ProcessId id = this_process();
    if (id.random.size() != 16 || id == this_process()) return 1;
    return parse_process_id(to_text(id)) == id && !is_gone(id) && !is_gone(before) ? 0 : 2;
  });
  const int code = child.wait();
  if (code == kSkipped) GTEST_SKIP() << "mounting is not allowed";
  EXPECT_EQ(code, 0);
}

TEST(ProcessId, TokensDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(random_token());
  EXPECT_EQ(seen.size(), 100u);
  for (const std::string& token : seen) EXPECT_EQ(token.size(), 16u);
}

}  // namespace
}  // namespace dfine
