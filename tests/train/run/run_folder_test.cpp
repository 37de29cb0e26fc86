#include "train/run/run_folder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "model/dfine.h"
#include "model/freezing.h"
#include "support/files.h"
#include "support/raises.h"
#include "train/run/run_checkpoint.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

class RunFolderTest : public testing::Test {
 protected:
  static Caught problem(const fs::path& dir, int64_t bytes) {
    return catch_error([&] { RunFolder(dir).require_usable(bytes); });
  }

  const TemporaryFolder folder_;
  const fs::path root_ = fs::path(folder_ / "").parent_path();
};

TEST_F(RunFolderTest, UsableOnesAreLeftAsTheyWere) {
  EXPECT_FALSE(problem(root_ / "a" / "b", 1).code);
  fs::create_directories(root_ / "c" / "checkpoints");
  EXPECT_FALSE(problem(root_ / "c", 1).code);
  EXPECT_FALSE(fs::exists(root_ / "a"));
  EXPECT_TRUE(fs::is_empty(root_ / "c" / "checkpoints"));
}

TEST_F(RunFolderTest, UnusableOnesAreNamedWithTheReason) {
  std::ofstream(root_ / "file") << "x";
  fs::create_directories(root_ / "run");
  std::ofstream(root_ / "run" / "checkpoints") << "x";
  for (const fs::path& dir : {root_ / "file", root_ / "file" / "run", root_ / "run"})
    EXPECT_TRUE(problem(dir, 1).is(kFileExists, dir.string()));
  EXPECT_TRUE(problem("/proc/run", 1).is(kWriteFailed, "/proc"));
  EXPECT_TRUE(problem(root_ / std::string(300, 'a'), 1).is(kBadValue, "300 bytes"));
  EXPECT_TRUE(problem(root_ / "a", std::numeric_limits<int64_t>::max())
                  .is(kDiskFull, (root_ / "a").string(), "TiB"));
}

// float32 raw weights, EMA, AdamW's two moments, and the weights once more in model.safetensors.
TEST_F(RunFolderTest, ACheckpointHasTwentyBytesForEachParameter) {
  for (const char* size : {"n", "s", "m", "l"}) {
    const DFine model(model_spec(model_variant(size).size, 80));
    const double bytes = 20.0 * static_cast<double>(count_parameters(model));
    EXPECT_NEAR(static_cast<double>(checkpoint_bytes(size)), bytes, 0.03 * bytes) << size;
  }
}

}  // namespace
}  // namespace dfine
