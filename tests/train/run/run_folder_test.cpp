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

TEST_F(RunFolderTest, ItSaysWhetherARunHasSaved) {
  const RunFolder run(root_ / "run");
  EXPECT_FALSE(run.has_saved());
  run.prepare(/*new_run=*/true);
  EXPECT_FALSE(run.has_saved());
  write_file(run.metrics(), "{\"type\":\"event\",\"event\":\"stage2\"}\n{\"type\":\"step\"}\n");
  fs::create_directory(run.checkpoint(".step-00000001.partial-x-1"));  // never became a checkpoint
  EXPECT_FALSE(run.has_saved());
  for (const char* name : {"step-00000001", "last", "set-aside-1"}) {
    fs::create_directory(run.checkpoint(name));
    EXPECT_TRUE(run.has_saved()) << name;
    fs::remove(run.checkpoint(name));
  }
  EXPECT_FALSE(run.has_saved());
  // Whatever has become of the checkpoint.
  write_file(run.metrics(), "{\"type\":\"step\"}\n{\"type\":\"event\",\"event\":\"saved\"}\n");
  EXPECT_TRUE(run.has_saved());
  fs::remove_all(run.checkpoints());
  EXPECT_TRUE(run.has_saved());
}

TEST_F(RunFolderTest, ANewRunMovesAnEarlierOneAside) {
  const RunFolder run(root_ / "run");
  EXPECT_EQ(run.prepare(/*new_run=*/true), fs::path());
  EXPECT_TRUE(fs::is_directory(run.checkpoints()));
  EXPECT_EQ(run.prepare(/*new_run=*/true), fs::path());  // nothing was there
  for (const char* content : {"first", "second"}) {
    write_file(run.metrics(), content);
    write_file(run.config(), content);
    write_file(run.log(), content);
    write_file(run.checkpoint("step-00000001"), content);
    write_file(run.stop_file(), content);
    EXPECT_EQ(run.prepare(/*new_run=*/false), fs::path());  // a run that goes on keeps all
    EXPECT_EQ(read_file(run.metrics()), content);
    const fs::path previous = run.prepare(/*new_run=*/true);
    EXPECT_EQ(previous,
              run.dir() / (content == std::string("first") ? "previous-1" : "previous-2"));
    for (const char* name :
         {"metrics.jsonl", "config.toml", "log.txt", "checkpoints/step-00000001"})
      EXPECT_EQ(read_file(previous / name), content) << name;
    EXPECT_TRUE(fs::is_empty(run.checkpoints()));
    for (const fs::path& path : {run.metrics(), run.config(), run.log()})
      EXPECT_FALSE(fs::exists(path));
  }
}

TEST_F(RunFolderTest, TemporariesAreNoEarlierRun) {
  const RunFolder run(root_ / "run");
  run.prepare(/*new_run=*/true);
  fs::create_directory(run.checkpoint(".step-00000001.partial-x-1"));
  EXPECT_EQ(run.prepare(/*new_run=*/true), fs::path());
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
