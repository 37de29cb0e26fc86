#pragma once
#include <chrono>

namespace dfine::inline distributed {

/// After so long a process ends itself, whatever MPI does.
constexpr std::chrono::seconds kLongestAbort{3};

/// Ends all ranks through MPI where it runs (it does not return then); else returns `exit_code`.
int abort_job(int exit_code);

}  // namespace dfine::inline distributed
