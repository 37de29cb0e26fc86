#pragma once
#include <functional>
#include <optional>
#include <string>

namespace dfine::inline distributed {

/// How this process was started among others.
struct Launch {
  std::string launcher;      // "mpirun", "srun (PMIx)", ...
  std::optional<int> ranks;  // as many as the launcher says; nothing when it does not
};

/// Reads the launcher's environment variables: OpenMPI's mpirun, PMIx and PMI (srun --mpi=pmix or
/// pmi2). Nothing when the process was started alone. Throws when srun started several tasks
/// without a PMI plugin, or torchrun several processes: each would train alone, over the same run
/// folder. `variable` is getenv as a function of names to values.
std::optional<Launch> detect_launch(const std::function<const char*(const char*)>& variable);

}  // namespace dfine::inline distributed
