#include "distributed/communicator.h"

#include <ATen/ATen.h>
#include <torch/csrc/distributed/c10d/comm.hpp>

#include <utility>

#include "distributed/host_channel.h"

namespace dfine::inline distributed {
namespace {

constexpr size_t kBroadcastBytes = size_t{64} << 20;  // of one coalesced message

// Runs `operation` on the tensor's own memory, or on a dense copy where it has gaps or overlaps.
template <class Operation>
void in_place(Tensor& tensor, Operation&& operation) {
  const at::NoGradGuard no_grad;
  const bool dense = tensor.is_non_overlapping_and_dense();
  Tensor buffer = dense ? tensor.detach() : tensor.detach().contiguous();
  operation(buffer);
  if (!dense) tensor.copy_(buffer);
}

std::span<std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

}  // namespace

Communicator::Communicator(c10::intrusive_ptr<c10d::ProcessGroup> process_group,
                           std::shared_ptr<HostChannel> host, at::Device device)
    : process_group_(std::move(process_group)),
      host_(std::move(host)),
      device_(device),
      rank_(process_group_->getRank()),
      size_(process_group_->getSize()) {}

void Communicator::all_reduce_sum(Tensor& tensor) const {
  all_reduce(tensor, c10d::ReduceOp::SUM);
}

void Communicator::all_reduce_max(Tensor& tensor) const {
  all_reduce(tensor, c10d::ReduceOp::MAX);
}

void Communicator::all_reduce(Tensor& tensor, c10d::ReduceOp::RedOpType op) const {
  if (is_single()) return;
  in_place(tensor, [&](Tensor& buffer) {
    if (buffer.is_cpu())
      return host_->all_reduce(buffer.data_ptr(), buffer.numel(),
                               mpi_reduction(buffer.scalar_type(), op));
    c10d::AllreduceOptions options;
    options.reduceOp = op;
    std::vector<Tensor> list{buffer};
    process_group_->allreduce(list, options)->wait();
  });
}

Tensor Communicator::all_gather(const Tensor& tensor) const {
  if (is_single()) return tensor.detach().unsqueeze(0).clone();
  Tensor input = tensor.detach().contiguous();
  std::vector<int64_t> sizes = input.sizes().vec();
  sizes.insert(sizes.begin(), size_);
  Tensor output = at::empty(sizes, input.options());
  if (input.is_cpu())
    host_->all_gather_bytes(bytes_of(input), bytes_of(output));
  else
    process_group_->all_gather_single(output, input)->wait();
  return output;
}

void Communicator::broadcast(Tensor& tensor, int root) const {
  if (is_single()) return;
  in_place(tensor, [&](Tensor& buffer) {
    if (buffer.is_cpu()) return host_->broadcast_bytes(bytes_of(buffer), root);
    c10d::BroadcastOptions options;
    options.rootRank = root;
    std::vector<Tensor> list{buffer};
    process_group_->broadcast(list, options)->wait();
  });
}

void Communicator::broadcast(const std::vector<Tensor>& tensors, int root) const {
  if (is_single() || tensors.empty()) return;
  std::vector<Tensor> values;
  for (const Tensor& tensor : tensors) values.push_back(tensor.detach());
  const at::NoGradGuard no_grad;
  c10d::broadcast_coalesced(process_group_, values, kBroadcastBytes, root);
}

void Communicator::reduce(void* data, size_t count, at::ScalarType type,
                          c10d::ReduceOp::RedOpType op) const {
  if (size_ > 1) host_->all_reduce(data, static_cast<int64_t>(count), mpi_reduction(type, op));
}

void Communicator::broadcast_bytes(std::span<std::byte> bytes, int root) const {
  host_->broadcast_bytes(bytes, root);
}

std::vector<std::vector<std::byte>> Communicator::gather_bytes(std::span<const std::byte> bytes,
                                                               int root) const {
  return host_->gather_bytes(bytes, root);
}

void Communicator::wait_busily() const {
  if (size_ > 1) host_->wait_busily();
}

void Communicator::barrier() const {
  if (size_ > 1) host_->barrier();
}

}  // namespace dfine::inline distributed
