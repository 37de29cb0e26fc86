#include "dist/launch.h"

#include <cstdlib>

#include "core/error.h"
#include "core/text.h"

namespace dfine {
namespace {

std::optional<int> number(const char* text) {
  return text && *text ? std::optional(std::atoi(text)) : std::nullopt;
}

}  // namespace

std::optional<Launch> detect_launch(const std::function<const char*(const char*)>& variable) {
  if (const char* size = variable("OMPI_COMM_WORLD_SIZE")) return Launch{"mpirun", number(size)};
  const auto tasks = number(variable("SLURM_STEP_NUM_TASKS"));  // of the step; unset in a batch script
  if (variable("PMIX_RANK")) return Launch{"PMIx", tasks};
  if (variable("PMI_RANK")) return Launch{"PMI", number(variable("PMI_SIZE"))};
  if (tasks.value_or(1) > 1) {
    throw Error(cat("srun started ", *tasks, " tasks without an MPI plugin: they cannot find each other."),
                "Start the ranks with mpirun inside the allocation, or with srun --mpi=pmix. In an interactive shell of such a step, unset "
                "SLURM_STEP_NUM_TASKS to run one process alone.");
  }
  return std::nullopt;
}

}  // namespace dfine
