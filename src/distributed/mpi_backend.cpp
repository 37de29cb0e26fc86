#include "distributed/mpi_backend.h"

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/text.h"
#include "distributed/mpi_types.h"

namespace dfine::inline distributed {
namespace {

int rank_of(MPI_Comm comm) {
  int rank = 0;
  check_mpi(MPI_Comm_rank(comm, &rank), "rank");
  return rank;
}

int size_of(MPI_Comm comm) {
  int size = 0;
  check_mpi(MPI_Comm_size(comm, &size), "size");
  return size;
}

void check_tensor(const Tensor& tensor, const char* operation) {
  if (!tensor.device().is_cpu() || tensor.layout() != at::kStrided ||
      !tensor.is_non_overlapping_and_dense()) {
    throw Error(str_cat("MPI: ", operation, " needs a dense CPU tensor; got ", tensor.toString(),
                        " of sizes ", tensor.sizes(), ", strides ", tensor.strides(), "."));
  }
}

const Tensor& only(const std::vector<Tensor>& tensors, const char* operation) {
  if (tensors.size() != 1)
    throw Error(str_cat("MPI: ", operation, " takes one tensor, not ", tensors.size(), "."));
  check_tensor(tensors.front(), operation);
  return tensors.front();
}

// Consecutive pieces that MPI's int counts can express: piece(first, count).
template <class Piece>
void in_pieces(int64_t total, int64_t largest, Piece&& piece) {
  for (int64_t first = 0; first < total; first += largest)
    piece(first, static_cast<int>(std::min(largest, total - first)));
}

class Cancelled : public Error {
 public:
  Cancelled()
      : Error("MPI: an operation was given up because its process group is being destroyed.") {}
};

}  // namespace

MpiBackend::MpiBackend(MPI_Comm parent, int64_t max_count)
    : Backend(rank_of(parent), size_of(parent)), max_count_(max_count) {
  check_mpi(MPI_Comm_dup(parent, &comm_), "duplicating a communicator");
  check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "setting an error handler");
  worker_ = std::thread([this] { work(); });
}

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
  return c10d::Work::create_from_future(future);
}

void MpiBackend::complete(MPI_Request& request, const char* operation) {
  if (!wait_for(request, operation, &stop_)) throw Cancelled();
}

c10::intrusive_ptr<c10d::Work> MpiBackend::broadcast(std::vector<Tensor>& tensors,
                                                     const c10d::BroadcastOptions& options) {
  const Tensor tensor = only(tensors, "broadcast");
  const int root = static_cast<int>(options.rootRank);
  return enqueue(tensors, [this, tensor, root] {
    auto* data = static_cast<std::byte*>(tensor.data_ptr());
    in_pieces(static_cast<int64_t>(tensor.nbytes()), max_count_, [&](int64_t first, int count) {
      MPI_Request request;
      check_mpi(MPI_Ibcast(data + first, count, MPI_BYTE, root, comm_, &request), "broadcast");
      complete(request, "broadcast");
    });
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allreduce(std::vector<Tensor>& tensors,
                                                     const c10d::AllreduceOptions& options) {
  const Tensor tensor = only(tensors, "all-reduce");
  const auto op = options.reduceOp.op_;
  const auto [type, mpi_op] = mpi_reduction(tensor.scalar_type(), op);
  return enqueue(tensors, [this, tensor, op, type = type, mpi_op = mpi_op] {
    auto* data = static_cast<std::byte*>(tensor.data_ptr());
    const auto element = static_cast<int64_t>(tensor.element_size());
    in_pieces(tensor.numel(), max_count_, [&](int64_t first, int count) {
      MPI_Request request;
      check_mpi(MPI_Iallreduce(MPI_IN_PLACE, data + first * element, count, type, mpi_op, comm_,
                               &request),
                "all-reduce");
      complete(request, "all-reduce");
    });
    if (op == c10d::ReduceOp::AVG) Tensor(tensor).div_(getSize());
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::all_gather_single(Tensor& output, Tensor& input,
                                                             const c10d::AllgatherOptions&) {
  check_tensor(input, "all-gather");
  if (!output.is_contiguous() || output.scalar_type() != input.scalar_type() ||
      output.numel() != input.numel() * getSize()) {
    throw Error(str_cat("MPI: all-gather of ", input.sizes(), " on ", getSize(),
                        " ranks into a tensor of ", output.sizes(), "."));
  }
  return enqueue({output}, [this, output, input] {
    const auto bytes = static_cast<int64_t>(input.nbytes());
    const auto* in = static_cast<const std::byte*>(input.const_data_ptr());
    auto* out = static_cast<std::byte*>(output.data_ptr());
    if (bytes <= max_count_) {
      MPI_Request request;
      const int count = static_cast<int>(bytes);
      check_mpi(MPI_Iallgather(in, count, MPI_BYTE, out, count, MPI_BYTE, comm_, &request),
                "all-gather");
      return complete(request, "all-gather");
    }
    std::memcpy(out + rank_ * bytes, in, static_cast<size_t>(bytes));
    for (int root = 0; root < size_; ++root) {
      in_pieces(bytes, max_count_, [&](int64_t first, int count) {
        MPI_Request request;
        check_mpi(MPI_Ibcast(out + root * bytes + first, count, MPI_BYTE, root, comm_, &request),
                  "all-gather");
        complete(request, "all-gather");
      });
    }
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allgather(std::vector<std::vector<Tensor>>& outputs,
                                                     std::vector<Tensor>& inputs,
                                                     const c10d::AllgatherOptions&) {
  const Tensor input = only(inputs, "all-gather");
  if (outputs.size() != 1 || outputs.front().size() != static_cast<size_t>(getSize())) {
    throw Error(str_cat("MPI: all-gather needs one list of ", getSize(), " outputs."));
  }
  for (const Tensor& output : outputs.front()) {
    check_tensor(output, "all-gather");
    if (output.sizes() != input.sizes() || output.strides() != input.strides() ||
        output.scalar_type() != input.scalar_type()) {
      throw Error(str_cat("MPI: all-gather of ", input.sizes(), " into ", output.sizes(),
                          ": sizes, strides and types must be the same."));
    }
  }
  return enqueue(outputs.front(), [this, input, all = outputs.front()] {
    all[static_cast<size_t>(rank_)].copy_(input);
    for (int root = 0; root < size_; ++root) {
      const Tensor& output = all[static_cast<size_t>(root)];
      auto* data = static_cast<std::byte*>(output.data_ptr());
      in_pieces(static_cast<int64_t>(output.nbytes()), max_count_, [&](int64_t first, int count) {
        MPI_Request request;
        check_mpi(MPI_Ibcast(data + first, count, MPI_BYTE, root, comm_, &request), "all-gather");
        complete(request, "all-gather");
      });
    }
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::barrier(const c10d::BarrierOptions&) {
  return enqueue({}, [this] {
    MPI_Request request;
    check_mpi(MPI_Ibarrier(comm_, &request), "barrier");
    complete(request, "barrier");
  });
}

}  // namespace dfine::inline distributed
