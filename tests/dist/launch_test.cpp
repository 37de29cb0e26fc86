#include "dist/launch.h"

#include <gtest/gtest.h>

#include <map>

#include "core/error.h"

namespace dfine {
namespace {

std::optional<Launch> launch(const std::map<std::string, std::string>& environment) {
  return detect_launch([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(Launch, NoLauncher) {
  EXPECT_FALSE(launch({}));
  // A batch script of Slurm has these, and starts one process alone when it runs the program directly.
  EXPECT_FALSE(launch({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}));
  EXPECT_FALSE(launch({{"SLURM_STEP_NUM_TASKS", "1"}}));
}

TEST(Launch, Mpirun) {
  EXPECT_EQ(launch({{"OMPI_COMM_WORLD_SIZE", "4"}})->ranks, 4);
}

TEST(Launch, MpirunInsideASlurmStepCountsItsOwnRanks) {
  EXPECT_EQ(launch({{"OMPI_COMM_WORLD_SIZE", "16"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"PMIX_RANK", "3"}})->ranks, 16);
}

TEST(Launch, SrunWithPlugin) {
  EXPECT_EQ(launch({{"PMIX_RANK", "3"}, {"SLURM_STEP_NUM_TASKS", "8"}})->ranks, 8);
  EXPECT_EQ(launch({{"PMI_RANK", "3"}, {"PMI_SIZE", "2"}})->ranks, 2);
  EXPECT_EQ(launch({{"PMIX_RANK", "0"}})->ranks, std::nullopt);
}

TEST(Launch, SrunWithoutPluginIsRefused) {
  EXPECT_THROW(launch({{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "3"}}), Error);
}

}  // namespace
}  // namespace dfine
