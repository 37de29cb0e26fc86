#pragma once
// Values in host memory between the ranks: small results, texts, bytes. Internal to dist (mpi.h).
#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dfine::inline distributed {

/// One communicator of its own, used by one thread at a time. Waiting ranks sleep between looks
/// (mpi_wait.h).
class HostChannel {
 public:
  /// Collective over `parent`, which is duplicated. The duplicate lives until MPI_Finalize.
  explicit HostChannel(MPI_Comm parent);

  int rank() const { return rank_; }
  int size() const { return size_; }

  /// In place.
  void sum(std::span<double> values) const;
  void max(std::span<int64_t> values) const;
  void broadcast(std::span<std::byte> bytes, int root) const;
  std::string broadcast(std::string text, int root) const;
  /// By rank at `root`, empty elsewhere; each of its own length, any length.
  std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int root) const;
  /// By rank, on all of them.
  std::vector<std::string> all_gather(const std::string& text) const;
  void barrier() const;

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
};

}  // namespace dfine::inline distributed
