#pragma once
// The ranks that train together, as the layers above see them.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "distributed/host_values.h"
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
  /// `process_group` carries gradients and, on a GPU, all tensors on `device`; `host` carries what
  /// is in host memory. Same ranks in both. `host` may be null if there is one rank.
  Communicator(c10::intrusive_ptr<c10d::ProcessGroup> process_group,
               std::shared_ptr<HostChannel> host, at::Device device);

  int rank() const { return rank_; }
  int size() const { return size_; }
  /// No process group: nothing to communicate with.
  bool is_single() const { return !process_group_; }
  at::Device device() const { return device_; }
  /// One for everything. With a second one for the gradients, nothing on the device would order its
  /// calls after those of the first. NCCL can hang then (github.com/NVIDIA/nccl, issue 195). Null
  /// when alone.
  const c10::intrusive_ptr<c10d::ProcessGroup>& process_group() const { return process_group_; }

  /// In-place sum (or maximum) over the ranks. Takes any dense tensor of the group's device type,
  /// with the same sizes, strides and type on all ranks. The result is the same to the last bit on
  /// all ranks and in every run with as many. On the CPU it is there on return, on a GPU the
  /// current stream waits for it.
  void all_reduce_sum(Tensor& tensor) const;
  void all_reduce_max(Tensor& tensor) const;
  /// The ranks' tensors of the same sizes and type, stacked: [size(), ...].
  Tensor all_gather(const Tensor& tensor) const;
  void broadcast(Tensor& tensor, int root) const;
  /// All tensors (of any mix of types) from `root`, in few large messages: parameters and buffers
  /// at the start.
  void broadcast(const std::vector<Tensor>& tensors, int root) const;

  /// Host values summed (maximised) over the ranks, exactly the same on all of them. T: double,
  /// int64_t or another type of numbers that tensors have.
  template <class T = double>
  std::vector<T> sum(std::vector<T> values) const {
    reduce(values.data(), values.size(), c10::CppTypeToScalarType<T>::value, c10d::ReduceOp::SUM);
    return values;
  }
  template <class T = int64_t>
  std::vector<T> max(std::vector<T> values) const {
    reduce(values.data(), values.size(), c10::CppTypeToScalarType<T>::value, c10d::ReduceOp::MAX);
    return values;
  }
  /// The host value that `root` has: a number, an enum, a struct or std::optional of such, a
  /// std::string or a vector (host_values.h). What other ranks give does not matter.
  template <class T>
  T broadcast(T value, int root) const {
    if (size_ == 1) return value;
    broadcast_value(value, [&](std::span<std::byte> bytes) { broadcast_bytes(bytes, root); });
    return value;
  }
  /// The ranks' strings or vectors of flat values, by rank, at `root` (each of its own length, any
  /// length); empty elsewhere.
  template <FlatList T>
  std::vector<T> gather(const T& list, int root) const {
    if (size_ == 1) return {list};
    std::vector<T> all;
    for (const auto& bytes : gather_bytes(std::as_bytes(std::span(list)), root))
      all.push_back(list_from_bytes<T>(bytes));
    return all;
  }
  void barrier() const;

  /// From now on a wait for other ranks keeps its core busy for half a millisecond before it
  /// sleeps. A step with synchronised batch norms has some 170 short waits. For ranks that have a
  /// core for each of their threads. Not for gradients, which are exchanged beside the backward
  /// pass.
  void wait_busily() const;

 private:
  void all_reduce(Tensor& tensor, c10d::ReduceOp::RedOpType op) const;
  void reduce(void* data, size_t count, at::ScalarType type, c10d::ReduceOp::RedOpType op) const;
  void broadcast_bytes(std::span<std::byte> bytes, int root) const;
  std::vector<std::vector<std::byte>> gather_bytes(std::span<const std::byte> bytes,
                                                   int root) const;

  c10::intrusive_ptr<c10d::ProcessGroup> process_group_;
  std::shared_ptr<HostChannel> host_;
  at::Device device_ = at::kCPU;
  int rank_ = 0, size_ = 1;
};

}  // namespace dfine::inline distributed
