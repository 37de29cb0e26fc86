#include "train/run/metrics_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/file_size_limit.h"
#include "support/python.h"

namespace dfine {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

StepRecord step_record(int64_t step, double loss) {
  return {.step = step, .loss = loss, .losses = {}};
}

Json parsed(const std::string& line) {
  return Json::parse(line, nullptr, /*allow_exceptions=*/false);
}

// The disk fills up in the middle of a line, and has room again later. Training does not notice,
// and what is lost is counted. A resume from step 2 removes the broken line and the steps that are
// trained again.
TEST(MetricsLog, AFullDiskLosesLinesAndNothingElse) {
  const TemporaryFolder folder;
  const std::string path = folder / "metrics.jsonl";
  {
    MetricsLog log(path, -1);
    for (int64_t step = 1; step <= 3; ++step) log.write_step(step_record(step, 0.1));
    {
      const FileSizeLimit limit(std::filesystem::file_size(path) + 10);
      log.write_step(step_record(4, 0.1));
      log.write_step(step_record(5, 0.1));
      EXPECT_EQ(log.lines_lost(), 2);
    }
    log.write_step(step_record(6, 0.1));
    EXPECT_EQ(log.lines_lost(), 2);
  }
  const auto broken = lines_of(path);
  ASSERT_EQ(broken.size(), 4U);
  for (const std::string& line : broken) EXPECT_FALSE(parsed(line).is_discarded()) << line;
  EXPECT_EQ(parsed(broken[3])["step"], 6);
  MetricsLog log(path, 2);
  EXPECT_EQ(log.steps_lost(), 4);
  log.write_step(step_record(3, 0.2));
  const auto mended = lines_of(path);
  ASSERT_EQ(mended.size(), 3U);
  EXPECT_EQ(mended[0], broken[0]);
  EXPECT_EQ(mended[1], broken[1]);
  EXPECT_EQ(parsed(mended[2])["step"], 3);
  EXPECT_EQ(parsed(mended[2])["loss"], 0.2);
}

TEST(MetricsLog, AFileThatCannotBeOpenedEndsNothing) {
  const TemporaryFolder folder;
  MetricsLog log(folder / "missing/metrics.jsonl", -1);
  log.write_step(step_record(1, 0.1));
  EXPECT_EQ(log.lines_lost(), 1);
  std::filesystem::create_directory(folder / "missing");
  log.write_step(step_record(2, 0.1));
  EXPECT_EQ(log.lines_lost(), 1);
  const auto lines = lines_of(folder / "missing/metrics.jsonl");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(parsed(lines[0])["step"], 2);
}

TEST(MetricsLog, EventsThatComeAgainGoAtAResume) {
  const TemporaryFolder folder;
  const std::string path = folder / "metrics.jsonl";
  {
    MetricsLog log(path, -1);
    log.write_start({.run_id = "a", .hosts = {"n1", "n1", "n2"}, .resumed_from = ""});
    log.write_event({.event = "saved", .step = 2, .epoch = 1, .values = {{"checkpoint", "last"}}});
    log.write_event({.event = "stage2", .step = 2, .epoch = 1, .values = {}});
    log.write_event({.event = "saved", .step = 3, .epoch = 1, .values = {{"checkpoint", "last"}}});
    log.write_event({.event = "failed", .step = 3, .epoch = 1, .values = {{"message", "a\xff\n"}}});
    log.write_start({.step = 3, .attempt = 2, .run_id = "a", .hosts = {"n1"}, .resumed_from = "c"});
  }
  EXPECT_EQ(lines_of(path).size(), 6U);  // also of text that is not UTF-8
  std::ofstream(path, std::ios::app) << "5\n{\"step\":\"x\"}\n";
  MetricsLog log(path, 2);  // enters stage 2 again
  const auto kept = lines_of(path);
  ASSERT_EQ(kept.size(), 4U);
  const Json start = parsed(kept[0]);
  EXPECT_EQ(start["type"], "start");
  EXPECT_EQ(start["ranks"], 3);
  EXPECT_EQ(start["hosts"], (Json{"n1", "n2"}));
  EXPECT_TRUE(start["resumed_from"].is_null());
  EXPECT_EQ(parsed(kept[1])["event"], "saved");
  EXPECT_EQ(parsed(kept[1])["step"], 2);
  EXPECT_EQ(parsed(kept[2])["event"], "failed");
  EXPECT_EQ(parsed(kept[3])["attempt"], 2);
  for (const std::string& line : kept)
    EXPECT_EQ(parsed(line)["time"].get<std::string>().size(), 24U);
}

}  // namespace
}  // namespace dfine
