#pragma once
// The ranks that train together, as the layers above see them.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <c10/core/Device.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "tensor.h"

namespace dfine::inline distributed {

class HostChannel;

/// A value; copies share the process group. Default-constructed: one rank alone on the CPU, where
/// every operation is the identity. Made by MpiSession::make_communicator. Every operation is
/// collective: all ranks call the same ones in the same order, from one thread.
class Communicator {
 public:
  Communicator() = default;
  /// One rank alone, on `device`.
  explicit Communicator(at::Device device) : device_(device) {}
  /// `process_group` and `gradient_process_group` carry tensors on `device`, `host` values in host
  /// memory; same ranks in all three.
  Communicator(c10::intrusive_ptr<c10d::ProcessGroup> process_group,
               c10::intrusive_ptr<c10d::ProcessGroup> gradient_process_group,
               std::shared_ptr<HostChannel> host, at::Device device);

  int rank() const { return rank_; }
  int size() const { return size_; }
  /// No process group: nothing to communicate with.
  bool is_single() const { return !process_group_; }
  at::Device device() const { return device_; }
  const c10::intrusive_ptr<c10d::ProcessGroup>& process_group() const {
    return process_group_;
  }  // null when alone
  /// For the gradient reducer alone: its large buckets then neither delay the small sums of batch
  /// norms in the backward pass, nor need they be issued in the same order between them on every
  /// rank. Null when alone.
  const c10::intrusive_ptr<c10d::ProcessGroup>& gradient_process_group() const {
    return gradient_process_group_;
  }

  /// In-place sum (or maximum) over the ranks. Any dense tensor of the group's device type, with
  /// the same sizes, strides and type on all ranks; the result is the same to the last bit on all
  /// ranks and in every run with as many. On the CPU it is there on return, on a GPU the current
  /// stream waits for it.
  void all_reduce_sum(Tensor& tensor) const;
  void all_reduce_max(Tensor& tensor) const;
  /// The ranks' tensors of the same sizes and type, stacked: [size(), ...].
  Tensor all_gather(const Tensor& tensor) const;
  void broadcast(Tensor& tensor, int root) const;
  /// All tensors (of any mix of types) from `root`, in few large messages: parameters and buffers
  /// at the start.
  void broadcast(const std::vector<Tensor>& tensors, int root) const;

  /// Host values summed (maximised) over the ranks, exactly the same on all of them.
  std::vector<double> sum(std::vector<double> values) const;
  std::vector<int64_t> max(std::vector<int64_t> values) const;
  /// The ranks' bytes, by rank, at `root` (each of its own length, any length); empty elsewhere.
  std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int root) const;
  std::string broadcast(std::string text, int root) const;
  void barrier() const;

 private:
  c10::intrusive_ptr<c10d::ProcessGroup> process_group_, gradient_process_group_;
  std::shared_ptr<HostChannel> host_;
  at::Device device_ = at::kCPU;
  int rank_ = 0, size_ = 1;
};

}  // namespace dfine::inline distributed
