#include "distributed/abort_job.h"

#include <dlfcn.h>
#include <mpi.h>
#include <unistd.h>

#include <cstddef>
#include <thread>

namespace dfine::inline distributed {
namespace {

/// PMIx_Abort of the PMIx standard; without a list of processes it ends all of the job.
using PmixAbort = int (*)(int status, const char* message, void* processes, size_t count);

/// What MPI_Abort comes down to in OpenMPI, without its banner, which would stand below our error
/// on the terminal. The library libpmix is there when OpenMPI has loaded it, so nothing need be
/// linked. Returns false without it.
bool abort_quietly(int exit_code) {
  const auto pmix_abort = reinterpret_cast<PmixAbort>(dlsym(RTLD_DEFAULT, "PMIx_Abort"));
  return pmix_abort && pmix_abort(exit_code, "", nullptr, 0) == 0;
}

}  // namespace

int abort_job(int exit_code) {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  if (!initialized || finalized) return exit_code;
  // Either way of aborting may hang, when the failing thread holds one of MPI's locks.
  std::thread([exit_code] {
    std::this_thread::sleep_for(kLongestAbort);
    _exit(exit_code);
  }).detach();
  if (abort_quietly(exit_code)) std::this_thread::sleep_for(2 * kLongestAbort);
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  _exit(exit_code);
}

}  // namespace dfine::inline distributed
