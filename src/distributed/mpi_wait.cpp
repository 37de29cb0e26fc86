#include "distributed/mpi_wait.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "core/text.h"

namespace dfine::inline distributed {
namespace {

/// Linux ends a sleep of this thread up to 50 us late unless it is told otherwise.
class PromptTimers {
 public:
  PromptTimers() { prctl(PR_SET_TIMERSLACK, 1UL); }
  ~PromptTimers() { prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(before_)); }
  PromptTimers(const PromptTimers&) = delete;
  PromptTimers& operator=(const PromptTimers&) = delete;

 private:
  const int before_ = prctl(PR_GET_TIMERSLACK);  // nanoseconds
};

}  // namespace

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

void wait_for(MPI_Request& request, std::string_view operation, const std::atomic<bool>* stop,
              std::chrono::microseconds busy) {
  using namespace std::chrono_literals;
  using Clock = std::chrono::steady_clock;
  constexpr int kShareOfWait = 8;  // an operation ends at most that much later than it could have
  constexpr Clock::duration kShortestSleep = 2us, kLongestSleep = 200us;
  const PromptTimers prompt;
  const auto begin = Clock::now();
  while (true) {
    int done = 0;
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), operation);
    if (done) return;
    if (stop && stop->load(std::memory_order_relaxed)) throw Cancelled();
    const auto waited = Clock::now() - begin;
    if (waited < busy) continue;
    // Not yield(): on a crowded machine that would put this thread behind all others, time and
    // again; one that wakes up goes first.
    std::this_thread::sleep_for(std::clamp(waited / kShareOfWait, kShortestSleep, kLongestSleep));
  }
}

}  // namespace dfine::inline distributed
