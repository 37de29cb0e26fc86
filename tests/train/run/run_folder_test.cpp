#include "train/run/run_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "model/dfine.h"
#include "model/freezing.h"
#include "train/run/run_checkpoint.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;

class RunFolderTest : public testing::Test {
 protected:
  RunFolderTest() { fs::create_directories(root_); }
  ~RunFolderTest() override { fs::remove_all(root_); }

  std::string problem(const fs::path& dir, int64_t bytes) const {
    try {
      RunFolder(dir).require_usable(bytes);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  const fs::path root_ =
      fs::temp_directory_path() / ("dfine-run-folder-" + std::to_string(getpid()));
};

TEST_F(RunFolderTest, UsableOnesAreLeftAsTheyWere) {
  EXPECT_EQ(problem(root_ / "a" / "b", 1), "");
  fs::create_directories(root_ / "c" / "checkpoints");
  EXPECT_EQ(problem(root_ / "c", 1), "");
  EXPECT_FALSE(fs::exists(root_ / "a"));
  EXPECT_TRUE(fs::is_empty(root_ / "c" / "checkpoints"));
}

TEST_F(RunFolderTest, UnusableOnesAreNamedWithTheReason) {
  std::ofstream(root_ / "file") << "x";
  fs::create_directories(root_ / "run");
  std::ofstream(root_ / "run" / "checkpoints") << "x";
  for (const fs::path& dir : {root_ / "file", root_ / "file" / "run", root_ / "run"})
    EXPECT_NE(problem(dir, 1).find("is not a folder"), std::string::npos) << dir;
  EXPECT_NE(problem("/proc/run", 1).find("nothing can be written to /proc"), std::string::npos);
  const std::string long_name = problem(root_ / std::string(300, 'a'), 1);
  EXPECT_NE(long_name.find("a name of 300 bytes is too long"), std::string::npos) << long_name;
  const std::string full = problem(root_ / "a", std::numeric_limits<int64_t>::max());
  EXPECT_NE(full.find("are free there, one checkpoint takes about"), std::string::npos) << full;
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
