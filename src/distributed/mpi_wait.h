#pragma once
// Internal to dist (mpi.h).
#include <mpi.h>

#include <atomic>
#include <string_view>

namespace dfine::inline distributed {

/// Throws Error with MPI's own text unless `code` is MPI_SUCCESS.
void check_mpi(int code, std::string_view operation);

/// Completes `request`. MPI_Wait of OpenMPI keeps a core busy; this looks often at first, then
/// sleeps between looks, so that a waiting rank or worker leaves its core to those that compute.
/// Returns false when `*stop` became true first (the request is then abandoned).
bool wait_for(MPI_Request& request, std::string_view operation,
              const std::atomic<bool>* stop = nullptr);

/// Largest number of elements passed to one MPI call, whose counts are ints.
constexpr int64_t kMaxMpiCount = int64_t{1} << 30;

}  // namespace dfine::inline distributed
