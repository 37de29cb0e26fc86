#include "train/run/run_summary.h"

#include <gtest/gtest.h>

#include <string>

namespace dfine {
namespace {

TEST(RunSummary, QuotesPathsForTheShell) {
  RunState state;
  state.best = RunState::Best{.monitor = Monitor::kAp, .value = 0.5, .epoch = 3, .step = 40};
  RunPlan plan;
  plan.val_pack = "it's here/val";
  const std::string text = run_summary(state, plan, RunFolder("my runs"), 61.5, {});
  EXPECT_NE(text.find("--weights 'my runs/checkpoints/best' --data 'it'\\''s here/val'\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("AP 0.5000"), std::string::npos) << text;
  EXPECT_NE(text.find("1:01:30"), std::string::npos) << text;
}

TEST(RunSummary, WithoutAValidationItNamesTheLastCheckpoint) {
  const std::string text = run_summary({}, {}, RunFolder("runs/a"), 0.5, "runs/a/report.html");
  EXPECT_NE(text.find("--weights runs/a/checkpoints/last "), std::string::npos) << text;
  EXPECT_EQ(text.find("dfine-eval"), std::string::npos) << text;
  EXPECT_NE(text.find("runs/a/report.html\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace dfine
