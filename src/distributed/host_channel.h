#pragma once
// The one place that calls MPI's collectives, all on host memory. Internal to distributed (mpi.h).
#include <mpi.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "distributed/host_values.h"
#include "distributed/mpi_types.h"
#include "distributed/mpi_wait.h"

namespace dfine::inline distributed {

/// One communicator of its own, used by one thread at a time. Waiting ranks sleep between looks
/// (mpi_wait.h).
class HostChannel {
 public:
  /// Collective over `parent`, which is duplicated. The duplicate lives until MPI_Finalize.
  /// `max_count`: most elements in one MPI call. An operation that is waiting when `*stop` becomes
  /// true throws Cancelled.
  explicit HostChannel(MPI_Comm parent, int64_t max_count = kMaxMpiCount,
                       const std::atomic<bool>* stop = nullptr);

  /// See Communicator::wait_busily.
  void wait_busily() { busy_ = kBusily; }

  int rank() const { return rank_; }
  int size() const { return size_; }

  /// `root`'s value, on all ranks (host_values.h).
  template <class T>
  T broadcast(T value, int root) const {
    broadcast_value(value, [&](std::span<std::byte> bytes) { broadcast_bytes(bytes, root); });
    return value;
  }
  /// By rank, on all of them. A few small messages for each: for the start of a run.
  template <class T>
  std::vector<T> all_gather(const T& value) const {
    std::vector<T> all(static_cast<size_t>(size_), value);
    for (int r = 0; r < size_; ++r) {
      T& of_rank = all[static_cast<size_t>(r)];
      of_rank = broadcast(std::move(of_rank), r);
    }
    return all;
  }

  /// In place, `count` elements of the reduction's type. All ranks get the same bits.
  void all_reduce(void* data, int64_t count, const MpiReduction& reduction) const;
  void broadcast_bytes(std::span<std::byte> bytes, int root) const;
  /// By rank at `root`, empty elsewhere; each of its own length, any length.
  std::vector<std::vector<std::byte>> gather_bytes(std::span<const std::byte> bytes,
                                                   int root) const;
  /// `all`: size() times as many bytes as `mine`, by rank.
  void all_gather_bytes(std::span<const std::byte> mine, std::span<std::byte> all) const;
  void barrier() const;

 private:
  /// start(request) begins an operation, which is then waited for.
  template <class Start>
  void complete(const char* operation, Start&& start) const;
  /// all_reduce() of `count` elements of `element` bytes, many enough for each rank to have some:
  /// the ranks form a ring. Each sends and receives 2 (N - 1) / N of the data, in both directions
  /// at once. MPI_Iallreduce of OpenMPI 4.1 in place gathers everything at one rank and sends it
  /// back, at 2 log2(N) times the data.
  void ring_all_reduce(std::byte* data, size_t count, size_t element,
                       const MpiReduction& reduction) const;
  struct Part {
    std::byte* data;
    int count;  // elements
  };
  /// Sends `out` to the next rank of the ring, while `in` comes from the one before.
  void pass_on(const Part& out, const Part& in, MPI_Datatype type) const;
  /// piece(first, count) for consecutive pieces that MPI's int counts can express.
  template <class Piece>
  void in_pieces(size_t total, Piece&& piece) const;

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  int64_t max_count_;
  const std::atomic<bool>* stop_;
  std::chrono::microseconds busy_ = kBriefly;
  mutable std::vector<std::byte> received_;  // of ring_all_reduce(), kept from call to call
};

}  // namespace dfine::inline distributed
