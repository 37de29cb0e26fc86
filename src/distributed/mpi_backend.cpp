#include "distributed/mpi_backend.h"

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "distributed/mpi_types.h"

namespace dfine::inline distributed {
using enum ErrorCode;
namespace {

/// An operation of the backend's thread. c10d::Work::create_from_future() would not do: its wait()
/// returns without an error where the operation failed.
class QueuedWork final : public c10d::Work {
 public:
  explicit QueuedWork(c10::intrusive_ptr<c10::ivalue::Future> future)
      : future_(std::move(future)) {}

  bool isCompleted() override { return future_->completed(); }
  bool isSuccess() const override { return future_->completed() && !future_->hasError(); }
  bool wait(std::chrono::milliseconds) override {
    future_->waitAndThrow();
    return true;
  }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override { return future_; }

 private:
  c10::intrusive_ptr<c10::ivalue::Future> future_;
};

void check_tensor(const Tensor& tensor, const char* operation) {
  if (!tensor.device().is_cpu() || tensor.layout() != at::kStrided ||
      !tensor.is_non_overlapping_and_dense()) {
    throw Error(kInternal,
                str_cat("MPI: ", operation, " needs a dense CPU tensor; got ", tensor.toString(),
                        " of sizes ", tensor.sizes(), ", strides ", tensor.strides(), "."));
  }
}

const Tensor& only(const std::vector<Tensor>& tensors, const char* operation) {
  if (tensors.size() != 1)
    throw Error(kInternal,
                str_cat("MPI: ", operation, " takes one tensor, not ", tensors.size(), "."));
  check_tensor(tensors.front(), operation);
  return tensors.front();
}

std::span<std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

}  // namespace

MpiBackend::MpiBackend(MPI_Comm parent, int64_t max_count)
    : Backend(mpi_rank(parent), mpi_size(parent)),
      channel_(parent, max_count, &stop_),
      worker_([this] { work(); }) {}

MpiBackend::~MpiBackend() {
  {
    const std::lock_guard lock(queue_mutex_);
    stop_ = true;
  }
  queue_filled_.notify_all();
  worker_.join();
}

void MpiBackend::work() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(queue_mutex_);
      queue_filled_.wait(lock, [this] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      if (stop_) throw Cancelled();
      job.run();
      job.future->markCompleted(c10::IValue(job.tensors));
    } catch (...) {
      job.future->setErrorIfNeeded(std::current_exception());
    }
  }
}

c10::intrusive_ptr<c10d::Work> MpiBackend::enqueue(std::vector<Tensor> tensors, Operation run) {
  auto future =
      c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()));
  {
    const std::lock_guard lock(queue_mutex_);
    queue_.push_back({std::move(run), std::move(tensors), future});
  }
  queue_filled_.notify_one();
  return c10::make_intrusive<QueuedWork>(std::move(future));
}

c10::intrusive_ptr<c10d::Work> MpiBackend::broadcast(std::vector<Tensor>& tensors,
                                                     const c10d::BroadcastOptions& options) {
  const Tensor tensor = only(tensors, "broadcast");
  const int root = static_cast<int>(options.rootRank);
  return enqueue(tensors,
                 [this, tensor, root] { channel_.broadcast_bytes(bytes_of(tensor), root); });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allreduce(std::vector<Tensor>& tensors,
                                                     const c10d::AllreduceOptions& options) {
  const Tensor tensor = only(tensors, "all-reduce");
  const auto op = options.reduceOp.op_;
  const MpiReduction reduction = mpi_reduction(tensor.scalar_type(), op);
  return enqueue(tensors, [this, tensor, op, reduction] {
    channel_.all_reduce(tensor.data_ptr(), tensor.numel(), reduction);
    if (op == c10d::ReduceOp::AVG) Tensor(tensor).div_(getSize());
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::all_gather_single(Tensor& output, Tensor& input,
                                                             const c10d::AllgatherOptions&) {
  check_tensor(input, "all-gather");
  if (!output.is_contiguous() || output.scalar_type() != input.scalar_type() ||
      output.numel() != input.numel() * getSize()) {
    throw Error(kInternal, str_cat("MPI: all-gather of ", input.sizes(), " on ", getSize(),
                                   " ranks into a tensor of ", output.sizes(), "."));
  }
  return enqueue({output}, [this, output, input] {
    channel_.all_gather_bytes(bytes_of(input), bytes_of(output));
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allgather(std::vector<std::vector<Tensor>>& outputs,
                                                     std::vector<Tensor>& inputs,
                                                     const c10d::AllgatherOptions&) {
  const Tensor input = only(inputs, "all-gather");
  if (outputs.size() != 1 || outputs.front().size() != static_cast<size_t>(getSize())) {
    throw Error(kInternal, str_cat("MPI: all-gather needs one list of ", getSize(), " outputs."));
  }
  for (const Tensor& output : outputs.front()) {
    check_tensor(output, "all-gather");
    if (output.sizes() != input.sizes() || output.strides() != input.strides() ||
        output.scalar_type() != input.scalar_type()) {
      throw Error(kInternal, str_cat("MPI: all-gather of ", input.sizes(), " into ", output.sizes(),
                                     ": sizes, strides and types must be the same."));
    }
  }
  return enqueue(outputs.front(), [this, input, all = outputs.front()] {
    all[static_cast<size_t>(rank_)].copy_(input);
    for (int root = 0; root < size_; ++root)
      channel_.broadcast_bytes(bytes_of(all[static_cast<size_t>(root)]), root);
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::barrier(const c10d::BarrierOptions&) {
  return enqueue({}, [this] { channel_.barrier(); });
}

}  // namespace dfine::inline distributed
