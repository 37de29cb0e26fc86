#include "train/run/divergence.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/files.h"
#include "support/raises.h"

namespace dfine {
namespace {

TEST(DivergenceHint, NamesFp32OnlyInHalfPrecision) {
  const TemporaryFolder root;
  const RunFolder folder(root / "");
  EXPECT_TRUE(names(divergence_hint(folder, true), "optim.lr", "run.precision", "fp32"));
  EXPECT_TRUE(names(divergence_hint(folder, false), "optim.lr"));
  EXPECT_EQ(divergence_hint(folder, false).find("fp32"), std::string::npos);
}

TEST(DivergenceHint, NamesTheCheckpointsThatAreThere) {
  const TemporaryFolder root;
  const RunFolder folder(root / "");
  const std::string last = folder.checkpoint("last").string(),
                    best = folder.checkpoint("best").string();
  EXPECT_EQ(divergence_hint(folder, false).find("checkpoints"), std::string::npos);
  std::filesystem::create_directories(last);
  EXPECT_TRUE(names(divergence_hint(folder, false), last));
  EXPECT_EQ(divergence_hint(folder, false).find("model.weights"), std::string::npos);
  std::filesystem::create_directories(best);
  EXPECT_TRUE(names(divergence_hint(folder, false), last, "model.weights=" + best));
  std::filesystem::remove(last);
  EXPECT_EQ(divergence_hint(folder, false).find(last), std::string::npos);
}

}  // namespace
}  // namespace dfine
