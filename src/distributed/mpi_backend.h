#pragma once
// Collectives of PyTorch over MPI for CPU tensors: the wheel's libtorch has neither its own MPI
// backend nor Gloo's headers. Internal to distributed (mpi.h).
#include <mpi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "distributed/host_channel.h"
#include "tensor.h"

namespace dfine::inline distributed {

/// Operations run one after another, in the order of the calls, on a thread of the backend. The
/// Work of each carries a future whose value is the list of tensors. They work in place on the
/// tensors' own memory. MPI requires the result of a reduction to be identical on all ranks.
/// OpenMPI's reduction trees depend on the number of ranks alone, so that it is the same in every
/// run, too. Types: float, double, half, bfloat16, int64, int32, int16, int8, uint8, bool (sum:
/// or). Reductions: SUM, AVG, MIN, MAX. Tensors must be dense and non-overlapping (any memory
/// format), with the same strides on all ranks.
class MpiBackend : public c10d::Backend {
 public:
  /// Collective over `parent`, which is duplicated; the duplicate lives until MPI_Finalize.
  /// `max_count`: most elements in one MPI call.
  explicit MpiBackend(MPI_Comm parent, int64_t max_count = kMaxMpiCount);
  /// Does not wait for peers: an operation still under way is given up, its future gets an error.
  ~MpiBackend() override;

  const std::string getBackendName() const override { return "dfine-mpi"; }

  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors,
                                           const c10d::BroadcastOptions& options) override;
  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options) override;
  c10::intrusive_ptr<c10d::Work> allgather(std::vector<std::vector<at::Tensor>>& outputs,
                                           std::vector<at::Tensor>& inputs,
                                           const c10d::AllgatherOptions& options) override;
  /// `output` holds size() times `input`, contiguous.
  c10::intrusive_ptr<c10d::Work> all_gather_single(at::Tensor& output, at::Tensor& input,
                                                   const c10d::AllgatherOptions& options) override;
  c10::intrusive_ptr<c10d::Work> barrier(const c10d::BarrierOptions& options) override;

 private:
  using Operation = std::function<void()>;
  struct Job {
    Operation run;
    std::vector<at::Tensor> tensors;
    c10::intrusive_ptr<c10::ivalue::Future> future;
  };

  c10::intrusive_ptr<c10d::Work> enqueue(std::vector<at::Tensor> tensors, Operation run);
  void work();

  std::mutex queue_mutex_;
  std::condition_variable queue_filled_;
  std::deque<Job> queue_;
  std::atomic<bool> stop_ = false;
  const HostChannel channel_;
  std::thread worker_;
};

}  // namespace dfine::inline distributed
