#include "distributed/launch.h"

#include <cstdlib>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline distributed {
using enum ErrorCode;
namespace {

std::optional<int> number(const char* text) {
  return text && *text ? std::optional(std::atoi(text)) : std::nullopt;
}

/// torchrun, accelerate and Kubernetes' PyTorchJob tell each process its rank by these variables,
/// and nothing that MPI could find its peers by.
void refuse_torchrun(const std::function<const char*(const char*)>& variable) {
  const auto ranks = number(variable("WORLD_SIZE")),
             per_host = number(variable("LOCAL_WORLD_SIZE"));
  if (ranks.value_or(1) < 2 || !variable("RANK")) return;
  const bool one_host = !per_host || *per_host < 1 || *per_host >= *ranks;
  throw Error(
      kLaunchInvalid,
      str_cat("WORLD_SIZE = ", *ranks,
              " and RANK are set, as torchrun does: this process would train ",
              "alone, since dfine_ddp finds its peers through MPI."),
      str_cat("Start the ranks with mpirun: mpirun -np ", *ranks,
              one_host ? "" : str_cat(" --hostfile HOSTS --map-by ppr:", *per_host, ":node"),
              " --bind-to none dfine_ddp --config FILE.toml. ",
              "To train in one process alone, unset WORLD_SIZE."));
}

}  // namespace

std::optional<Launch> detect_launch(const std::function<const char*(const char*)>& variable) {
  if (const char* size = variable("OMPI_COMM_WORLD_SIZE")) return Launch{"mpirun", number(size)};
  const auto tasks =
      number(variable("SLURM_STEP_NUM_TASKS"));  // of the step; unset in a batch script
  if (variable("PMIX_RANK")) return Launch{"PMIx", tasks};
  if (variable("PMI_RANK")) return Launch{"PMI", number(variable("PMI_SIZE"))};
  if (tasks.value_or(1) > 1) {
    throw Error(kLaunchInvalid,
                str_cat("srun started ", *tasks,
                        " tasks without an MPI plugin: they cannot find each other."),
                "Start the ranks with mpirun inside the allocation, or with srun --mpi=pmix. In an "
                "interactive shell of such a step, unset "
                "SLURM_STEP_NUM_TASKS to run one process alone.");
  }
  refuse_torchrun(variable);
  return std::nullopt;
}

}  // namespace dfine::inline distributed
