#include "distributed/host_channel.h"

#include <algorithm>
#include <cstring>

namespace dfine::inline distributed {
namespace {

constexpr size_t kRingBytes = 32 << 10;  // for each rank, at least: more messages must pay

}  // namespace

HostChannel::HostChannel(MPI_Comm parent, int64_t max_count, const std::atomic<bool>* stop)
    : rank_(mpi_rank(parent)), size_(mpi_size(parent)), max_count_(max_count), stop_(stop) {
  check_mpi(MPI_Comm_dup(parent, &comm_), "duplicating a communicator");
  check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "setting an error handler");
}

template <class Start>
void HostChannel::complete(const char* operation, Start&& start) const {
  MPI_Request request;
  check_mpi(start(&request), operation);
  wait_for(request, operation, stop_, busy_);
}

template <class Piece>
void HostChannel::in_pieces(size_t total, Piece&& piece) const {
  const auto largest = static_cast<size_t>(max_count_);
  for (size_t first = 0; first < total; first += largest)
    piece(first, static_cast<int>(std::min(largest, total - first)));
}

void HostChannel::all_reduce(void* data, int64_t count, const MpiReduction& reduction) const {
  int element = 0;  // bytes
  check_mpi(MPI_Type_size(reduction.type, &element), "all-reduce");
  in_pieces(static_cast<size_t>(count), [&](size_t first, int n) {
    const auto size = static_cast<size_t>(element);
    std::byte* const piece = static_cast<std::byte*>(data) + first * size;
    if (size_ > 1 && static_cast<size_t>(n) * size >= kRingBytes * static_cast<size_t>(size_))
      return ring_all_reduce(piece, static_cast<size_t>(n), size, reduction);
    complete("all-reduce", [&](MPI_Request* request) {
      return MPI_Iallreduce(MPI_IN_PLACE, piece, n, reduction.type, reduction.op, comm_, request);
    });
  });
}

void HostChannel::pass_on(const Part& out, const Part& in, MPI_Datatype type) const {
  constexpr int kTag = 2;
  const int next = (rank_ + 1) % size_, before = (rank_ + size_ - 1) % size_;
  MPI_Request receiving, sending;
  check_mpi(MPI_Irecv(in.data, in.count, type, before, kTag, comm_, &receiving), "all-reduce");
  check_mpi(MPI_Isend(out.data, out.count, type, next, kTag, comm_, &sending), "all-reduce");
  wait_for(receiving, "all-reduce", stop_, busy_);
  wait_for(sending, "all-reduce", stop_, busy_);
}

void HostChannel::ring_all_reduce(std::byte* data, size_t count, size_t element,
                                  const MpiReduction& reduction) const {
  const auto ranks = static_cast<size_t>(size_), mine = static_cast<size_t>(rank_);
  // The part of the rank that is `behind` places back in the ring.
  const auto part = [&](size_t behind) {
    const size_t index = (mine + ranks - behind % ranks) % ranks;
    const size_t begin = count * index / ranks, end = count * (index + 1) / ranks;
    return Part{data + begin * element, static_cast<int>(end - begin)};
  };
  received_.resize((count / ranks + 1) * element);
  for (size_t step = 0; step + 1 < ranks; ++step) {
    const Part sum = part(step + 1), received{received_.data(), sum.count};
    pass_on(part(step), received, reduction.type);
    check_mpi(MPI_Reduce_local(received.data, sum.data, sum.count, reduction.type, reduction.op),
              "all-reduce");
  }
  // Now the part of the next rank is complete here.
  for (size_t step = 0; step + 1 < ranks; ++step)
    pass_on(part(step + ranks - 1), part(step), reduction.type);
}

void HostChannel::broadcast_bytes(std::span<std::byte> bytes, int root) const {
  in_pieces(bytes.size(), [&](size_t first, int count) {
    complete("broadcast", [&](MPI_Request* request) {
      return MPI_Ibcast(bytes.data() + first, count, MPI_BYTE, root, comm_, request);
    });
  });
}

std::vector<std::vector<std::byte>> HostChannel::gather_bytes(std::span<const std::byte> bytes,
                                                              int root) const {
  constexpr int kTag = 1;
  const uint64_t length = bytes.size();
  std::vector<uint64_t> lengths(static_cast<size_t>(rank_ == root ? size_ : 0));
  complete("gather", [&](MPI_Request* request) {
    return MPI_Igather(&length, 1, MPI_UINT64_T, lengths.data(), 1, MPI_UINT64_T, root, comm_,
                       request);
  });
  if (rank_ != root) {
    in_pieces(bytes.size(), [&](size_t first, int count) {
      complete("gather", [&](MPI_Request* request) {
        return MPI_Isend(bytes.data() + first, count, MPI_BYTE, root, kTag, comm_, request);
      });
    });
    return {};
  }
  std::vector<std::vector<std::byte>> all(static_cast<size_t>(size_));
  for (int source = 0; source < size_; ++source) {
    auto& received = all[static_cast<size_t>(source)];
    if (source == root) {
      received.assign(bytes.begin(), bytes.end());
      continue;
    }
    received.resize(lengths[static_cast<size_t>(source)]);
    in_pieces(received.size(), [&](size_t first, int count) {
      complete("gather", [&](MPI_Request* request) {
        return MPI_Irecv(received.data() + first, count, MPI_BYTE, source, kTag, comm_, request);
      });
    });
  }
  return all;
}

void HostChannel::all_gather_bytes(std::span<const std::byte> mine,
                                   std::span<std::byte> all) const {
  const size_t bytes = mine.size();
  if (bytes <= static_cast<size_t>(max_count_)) {
    const int count = static_cast<int>(bytes);
    return complete("all-gather", [&](MPI_Request* request) {
      return MPI_Iallgather(mine.data(), count, MPI_BYTE, all.data(), count, MPI_BYTE, comm_,
                            request);
    });
  }
  std::memcpy(all.data() + static_cast<size_t>(rank_) * bytes, mine.data(), bytes);
  for (int root = 0; root < size_; ++root)
    broadcast_bytes(all.subspan(static_cast<size_t>(root) * bytes, bytes), root);
}

void HostChannel::barrier() const {
  complete("barrier", [&](MPI_Request* request) { return MPI_Ibarrier(comm_, request); });
}

}  // namespace dfine::inline distributed
