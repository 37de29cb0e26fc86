#include "distributed/launch.h"

#include <gtest/gtest.h>

#include <map>

#include "support/raises.h"

namespace dfine {
namespace {

std::optional<Launch> launch(const std::map<std::string, std::string>& environment) {
  return detect_launch([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

void expect_hint(const std::map<std::string, std::string>& environment,
                 const std::string& command) {
  EXPECT_TRUE(raises(ErrorCode::kLaunchInvalid, [&] { launch(environment); }, command));
}

TEST(Launch, NoLauncher) {
  EXPECT_FALSE(launch({}));
  // A batch script of Slurm has these, and starts one process alone when it runs the program
  // directly.
  EXPECT_FALSE(launch({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}));
  EXPECT_FALSE(launch({{"SLURM_STEP_NUM_TASKS", "1"}}));
}

TEST(Launch, Mpirun) {
  EXPECT_EQ(launch({{"OMPI_COMM_WORLD_SIZE", "4"}})->ranks, 4);
}

TEST(Launch, MpirunInsideASlurmStepCountsItsOwnRanks) {
  EXPECT_EQ(
      launch({{"OMPI_COMM_WORLD_SIZE", "16"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"PMIX_RANK", "3"}})
          ->ranks,
      16);
}

TEST(Launch, SrunWithPlugin) {
  EXPECT_EQ(launch({{"PMIX_RANK", "3"}, {"SLURM_STEP_NUM_TASKS", "8"}})->ranks, 8);
  EXPECT_EQ(launch({{"PMI_RANK", "3"}, {"PMI_SIZE", "2"}})->ranks, 2);
  EXPECT_EQ(launch({{"PMIX_RANK", "0"}})->ranks, std::nullopt);
}

TEST(Launch, SrunWithoutPluginIsRefused) {
  expect_hint({{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "3"}}, "8");
}

// The variables: https://docs.pytorch.org/docs/stable/elastic/run.html, "Environment Variables".
TEST(Launch, TorchrunIsRefused) {
  std::map<std::string, std::string> environment{{"RANK", "1"},
                                                 {"LOCAL_RANK", "1"},
                                                 {"WORLD_SIZE", "4"},
                                                 {"LOCAL_WORLD_SIZE", "4"},
                                                 {"GROUP_RANK", "0"},
                                                 {"TORCHELASTIC_RUN_ID", "none"},
                                                 {"MASTER_ADDR", "127.0.0.1"},
                                                 {"MASTER_PORT", "29500"}};
  expect_hint(environment, "mpirun -np 4 --bind-to none dfine_ddp --config FILE.toml");
  environment["LOCAL_WORLD_SIZE"] = "2";
  expect_hint(environment, "mpirun -np 4 --hostfile HOSTS --map-by ppr:2:node --bind-to none");
  environment.erase("LOCAL_WORLD_SIZE");  // a container's, or set by hand
  expect_hint(environment, "mpirun -np 4 --bind-to none");
}

TEST(Launch, TorchrunsVariablesAloneAreNoLauncher) {
  EXPECT_FALSE(launch(
      {{"RANK", "0"}, {"LOCAL_RANK", "0"}, {"WORLD_SIZE", "1"}}));  // torchrun --nproc_per_node=1
  EXPECT_FALSE(launch({{"WORLD_SIZE", "4"}}));                      // no process has a rank
  // mpirun inside such an environment: its ranks are joined by MPI.
  EXPECT_EQ(launch({{"OMPI_COMM_WORLD_SIZE", "2"}, {"RANK", "0"}, {"WORLD_SIZE", "4"}})->ranks, 2);
}

}  // namespace
}  // namespace dfine
