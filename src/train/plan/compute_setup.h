#pragma once
// The ranks on their devices, and LibTorch as the configuration wants it.
#include "config/config.h"
#include "distributed/communicator.h"
#include "distributed/mpi_session.h"

namespace dfine::inline plan {

/// Collective. The group of all ranks on the devices of run.device, with LibTorch's threads and
/// switches set for this process. Rank zero logs who is where. Throws Error when the ranks'
/// configurations differ.
Communicator join_ranks(const Config& config, MpiSession& session);

}  // namespace dfine::inline plan
