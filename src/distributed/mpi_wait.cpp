#include "distributed/mpi_wait.h"

#include <chrono>
#include <string>
#include <thread>

#include "core/text.h"

namespace dfine::inline distributed {

void check_mpi(int code, std::string_view operation) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(ErrorCode::kCommunicationFailed,
              str_cat("MPI: ", operation, ": ", std::string(text, static_cast<size_t>(length))));
}

int mpi_rank(MPI_Comm comm) {
  int rank = 0;
  check_mpi(MPI_Comm_rank(comm, &rank), "rank");
  return rank;
}

int mpi_size(MPI_Comm comm) {
  int size = 0;
  check_mpi(MPI_Comm_size(comm, &size), "size");
  return size;
}

void wait_for(MPI_Request& request, std::string_view operation, const std::atomic<bool>* stop) {
  using namespace std::chrono_literals;
  constexpr int kBusyLooks = 200;  // some 50 us: most small operations of ranks in step end within
  constexpr auto kLongestSleep = 200us;
  auto sleep = 10us;
  for (int look = 0;; ++look) {
    int done = 0;
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), operation);
    if (done) return;
    if (stop && stop->load(std::memory_order_relaxed)) throw Cancelled();
    if (look < kBusyLooks) continue;
    // Not yield(): on a crowded machine that would put this thread behind all others, time and
    // again; one that wakes up goes first.
    std::this_thread::sleep_for(sleep);
    if (sleep < kLongestSleep) sleep += 10us;
  }
}

}  // namespace dfine::inline distributed
