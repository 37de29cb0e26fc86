#include "core/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace dfine {
namespace {

struct Said {
  std::string out, err;
};

/// What is printed of one message of each kind, without the time of day in front of each.
Said said_by(int rank, const log::ConsoleOptions& console = {}) {
  log::set_rank(rank);
  log::set_console(console);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  log::detail("detail");
  log::info("info");
  log::warn("warn");
  log::local_info("local info");
  log::local_warn("local warn");
  log::error("error");
  const auto without_times = [](const std::string& text) {
    std::istringstream lines(text);
    std::string said;
    for (std::string line; std::getline(lines, line);) said += line.substr(9) + "; ";
    return said;
  };
  const std::string err = testing::internal::GetCapturedStderr();
  const Said said{without_times(testing::internal::GetCapturedStdout()), without_times(err)};
  log::set_rank(0);
  log::omit_rank();
  log::set_console({});
  return said;
}

TEST(Log, WhatAllRanksWouldSayIsPrintedByRankZero) {
  EXPECT_EQ(said_by(0).err,
            "I info; W warn; I [rank 0] local info; W [rank 0] local warn; E [rank 0] error; ");
  EXPECT_EQ(said_by(2).err, "I [rank 2] local info; W [rank 2] local warn; E [rank 2] error; ");
}

TEST(Log, InfoGoesToStdoutAndTheRestToStderr) {
  const Said said = said_by(0, {.info_to_stdout = true});
  EXPECT_EQ(said.out, "I info; I [rank 0] local info; ");
  EXPECT_EQ(said.err, "W warn; W [rank 0] local warn; E [rank 0] error; ");
  const Said quiet = said_by(0, {.info_to_stdout = true, .quiet = true});
  EXPECT_EQ(quiet.out, "");
  EXPECT_EQ(quiet.err, said.err);
}

TEST(Log, JsonLinesHaveTimeLevelAndMessage) {
  log::set_console({.json = true});
  testing::internal::CaptureStderr();
  log::warn("a \"b\" \\ c\nd");
  const std::string line = testing::internal::GetCapturedStderr();
  log::set_console({});
  const std::string begin = "{\"time\":\"",
                    end = R"(","level":"warning","message":"a \"b\" \\ c\nd"})";
  EXPECT_EQ(line.substr(0, begin.size()), begin);
  EXPECT_EQ(line.substr(begin.size() + std::string("2026-11-30T12:00:00Z").size()), end + "\n");
}

TEST(Log, AFileGetsWhatWasSaidBefore) {
  const auto file =
      std::filesystem::temp_directory_path() / ("dfine_log_" + std::to_string(::getpid()) + ".txt");
  testing::internal::CaptureStderr();
  log::keep_for_file();
  log::info("first");
  log::detail("a table");
  log::add_file(file.string());
  log::warn("last");
  log::close_file();
  log::info("not there");
  const std::string printed = testing::internal::GetCapturedStderr();
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  std::filesystem::remove(file);
  std::string said;
  for (std::string line; std::getline(text, line);) said += line.substr(20) + "; ";
  EXPECT_EQ(said, "I first; D a table; W last; ");
  EXPECT_EQ(printed.find("a table"), std::string::npos);
}

TEST(Log, TheLiveLineIsCutAndGivesWayToMessages) {
  log::set_console({.live = log::LiveLine::kAlways});
  ASSERT_TRUE(log::has_live_line());
  testing::internal::CaptureStderr();
  log::live(std::string(300, 'x'));
  log::live("short");
  log::info("message");
  log::live("next");
  log::end_live();
  const std::string text = testing::internal::GetCapturedStderr();
  log::set_console({});
  const std::string erase = "\r\x1b[K";
  // No terminal says how wide it is: 80 columns, the last of which stays empty.
  EXPECT_TRUE(text.starts_with(erase + std::string(79, 'x') + erase + "short" + erase)) << text;
  EXPECT_TRUE(text.ends_with("I message\n" + erase + "next\n")) << text;
}

}  // namespace
}  // namespace dfine
