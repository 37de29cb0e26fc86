#pragma once
// Internal to distributed (mpi.h).
#include <mpi.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "core/error.h"

namespace dfine::inline distributed {

/// Throws Error with MPI's own text unless `code` is MPI_SUCCESS.
void check_mpi(int code, std::string_view operation);

int mpi_rank(MPI_Comm comm);
int mpi_size(MPI_Comm comm);

/// What an operation ends with that is not waited for any more.
class Cancelled : public Error {
 public:
  Cancelled()
      : Error(ErrorCode::kCommunicationFailed,
              "MPI: an operation was given up because its process group is being destroyed.") {}
};

/// How long a wait keeps its core busy before it sleeps between looks.
constexpr std::chrono::microseconds kBriefly{50};  // a small operation of ranks in step
constexpr std::chrono::microseconds kBusily{500};  // and of ranks that are not quite

/// Completes `request`. MPI_Wait of OpenMPI keeps a core busy. This function does so for `busy`
/// alone, then sleeps between looks, so that a waiting rank or worker leaves its core to those that
/// compute. Throws Cancelled when `*stop` became true first (the request is then abandoned).
void wait_for(MPI_Request& request, std::string_view operation, const std::atomic<bool>* stop,
              std::chrono::microseconds busy);

/// Largest number of elements passed to one MPI call, whose counts are ints.
constexpr int64_t kMaxMpiCount = int64_t{1} << 30;

}  // namespace dfine::inline distributed
