#pragma once
// The process among its peers: MPI, hosts, devices. One for the whole run, made before anything
// else (distributed_main in failure.h does it).
#include <memory>
#include <string>
#include <vector>

#include <c10/util/intrusive_ptr.h>

#include "distributed/communicator.h"
#include "distributed/devices.h"

namespace c10d {
class TCPStore;
}

namespace dfine::inline distributed {

struct RankInfo {
  int rank = 0;
  std::string host;
  int local_rank = 0;  // place among the ranks of its host
  int local_size = 1;  // ranks on its host
  std::string device;  // "cpu", "cuda:0"; empty before make_communicator
};

/// Joins the job of the launcher that started this process (mpirun, srun with PMI), or is alone
/// when none did. When alone, MPI is not started at all, so that no launcher, session directory or
/// network is needed. Throws when the launcher and MPI disagree on the number of ranks (two MPI
/// installations, srun without its PMI plugin). Training would otherwise run as many independent
/// jobs over the same run folder.
class MpiSession {
 public:
  MpiSession();
  /// Collective; all ranks have come here, or the job is being aborted.
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  int rank() const { return self().rank; }
  int size() const { return static_cast<int>(ranks_.size()); }
  int local_rank() const { return self().local_rank; }
  int local_size() const { return self().local_size; }
  const std::string& host() const { return self().host; }
  const std::vector<RankInfo>& ranks() const { return ranks_; }

  /// One rank, one device: builds the group over OpenMPI (CPU) or NCCL (GPUs, chosen by local
  /// rank). Throws the same error on all ranks when they ask for different things or a host has
  /// more ranks than GPUs. So it does for kCuda in a build without CUDA. The session shares in the
  /// group, so that a rank which fails never waits for its peers while it unwinds.
  Communicator make_communicator(DeviceRequest request);

  /// Reached by all ranks without MPI, served by rank zero; null when alone.
  const c10::intrusive_ptr<c10d::TCPStore>& store() const;

  /// "rank host device local", one line per rank, and with GPUs the versions of their libraries;
  /// for rank zero to log at the start.
  std::string rank_table() const;
  /// The same in short: "16 ranks on 2 hosts, on GPUs", "1 rank on host vm, on the CPU".
  std::string describe_ranks() const;

 private:
  struct Impl;
  const RankInfo& self() const;
  std::unique_ptr<Impl> impl_;
  std::vector<RankInfo> ranks_;
};

}  // namespace dfine::inline distributed
