#include "train/run/metrics_log.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/file_size_limit.h"
#include "support/python.h"
#include "support/raises.h"

namespace dfine {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The disk fills up in the middle of a line. The run gets the error at once, and a resume from step
// 2 removes the broken line and the steps that are trained again.
TEST(MetricsLog, AFullDiskIsAnErrorAndAResumeMendsTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder / "metrics.jsonl";
  {
    MetricsLog log(path, -1);
    for (int64_t step = 1; step <= 3; ++step)
      log.write_step({.step = step, .loss = 0.1, .losses = {}});
    const FileSizeLimit limit(std::filesystem::file_size(path) + 10);
    EXPECT_TRUE(raises(
        ErrorCode::kWriteFailed, [&] { log.write_step({.step = 4, .loss = 0.1, .losses = {}}); },
        path, std::strerror(EFBIG)));
  }
  const auto broken = lines_of(path);
  ASSERT_EQ(broken.size(), 4u);
  EXPECT_EQ(broken[3].size(), 10u);
  MetricsLog log(path, 2);
  log.write_step({.step = 3, .loss = 0.2, .losses = {}});
  const auto mended = lines_of(path);
  ASSERT_EQ(mended.size(), 3u);
  EXPECT_EQ(mended[0], broken[0]);
  EXPECT_EQ(mended[1], broken[1]);
  EXPECT_NE(mended[2].find("\"step\":3,"), std::string::npos) << mended[2];
  EXPECT_NE(mended[2].find("\"loss\":0.2,"), std::string::npos) << mended[2];
}

TEST(MetricsLog, EventsThatComeAgainGoAtAResume) {
  const TemporaryFolder folder;
  const std::string path = folder / "metrics.jsonl";
  {
    MetricsLog log(path, -1);
    log.write_event({.event = "started", .values = {}});
    log.write_event({.event = "saved", .step = 2, .epoch = 1, .values = {{"checkpoint", "last"}}});
    log.write_event({.event = "stage2", .step = 2, .epoch = 1, .values = {}});
    log.write_event({.event = "saved", .step = 3, .epoch = 1, .values = {{"checkpoint", "last"}}});
    log.write_event({.event = "failed", .step = 3, .epoch = 1, .values = {{"message", "a\xff\n"}}});
  }
  EXPECT_EQ(lines_of(path).size(), 5U);  // also of text that is not UTF-8
  std::ofstream(path, std::ios::app) << "5\n{\"step\":\"x\"}\n";
  MetricsLog log(path, 2);  // enters stage 2 again
  const auto kept = lines_of(path);
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0], R"({"type":"event","event":"started","step":0,"epoch":0})");
  EXPECT_EQ(kept[1], R"({"type":"event","event":"saved","step":2,"epoch":1,"checkpoint":"last"})");
  EXPECT_NE(kept[2].find("\"failed\""), std::string::npos) << kept[2];
}

}  // namespace
}  // namespace dfine
