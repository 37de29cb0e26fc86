#include "distributed/host_channel.h"

#include <algorithm>

#include "distributed/mpi_wait.h"

namespace dfine::inline distributed {
namespace {

// Calls `operation(offset, count)` for consecutive pieces that MPI's int counts can express.
template <class Operation>
void in_pieces(size_t total, Operation&& operation) {
  for (size_t first = 0; first < total; first += kMaxMpiCount) {
    operation(first, static_cast<int>(std::min<size_t>(kMaxMpiCount, total - first)));
  }
}

template <class T>
void all_reduce(std::span<T> values, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  in_pieces(values.size(), [&](size_t first, int count) {
    MPI_Request request;
    check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values.data() + first, count, type, op, comm, &request),
              "all-reduce");
    wait_for(request, "all-reduce");
  });
}

}  // namespace

HostChannel::HostChannel(MPI_Comm parent) {
  check_mpi(MPI_Comm_dup(parent, &comm_), "duplicating a communicator");
  check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "setting an error handler");
  check_mpi(MPI_Comm_rank(comm_, &rank_), "rank");
  check_mpi(MPI_Comm_size(comm_, &size_), "size");
}

void HostChannel::sum(std::span<double> values) const {
  all_reduce(values, MPI_DOUBLE, MPI_SUM, comm_);
}

void HostChannel::max(std::span<int64_t> values) const {
  all_reduce(values, MPI_INT64_T, MPI_MAX, comm_);
}

void HostChannel::broadcast(std::span<std::byte> bytes, int root) const {
  in_pieces(bytes.size(), [&](size_t first, int count) {
    MPI_Request request;
    check_mpi(MPI_Ibcast(bytes.data() + first, count, MPI_BYTE, root, comm_, &request),
              "broadcast");
    wait_for(request, "broadcast");
  });
}

std::string HostChannel::broadcast(std::string text, int root) const {
  uint64_t length = text.size();
  broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
  text.resize(length);
  broadcast(std::as_writable_bytes(std::span(text)), root);
  return text;
}

std::vector<std::vector<std::byte>> HostChannel::gather(std::span<const std::byte> bytes,
                                                        int root) const {
  constexpr int kTag = 1;
  const uint64_t length = bytes.size();
  std::vector<uint64_t> lengths(static_cast<size_t>(rank_ == root ? size_ : 0));
  MPI_Request request;
  check_mpi(
      MPI_Igather(&length, 1, MPI_UINT64_T, lengths.data(), 1, MPI_UINT64_T, root, comm_, &request),
      "gather");
  wait_for(request, "gather");
  if (rank_ != root) {
    in_pieces(bytes.size(), [&](size_t first, int count) {
      check_mpi(MPI_Isend(bytes.data() + first, count, MPI_BYTE, root, kTag, comm_, &request),
                "gather");
      wait_for(request, "gather");
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
      check_mpi(MPI_Irecv(received.data() + first, count, MPI_BYTE, source, kTag, comm_, &request),
                "gather");
      wait_for(request, "gather");
    });
  }
  return all;
}

std::vector<std::string> HostChannel::all_gather(const std::string& text) const {
  const auto parts = gather(std::as_bytes(std::span(text)), 0);
  std::vector<uint64_t> lengths(static_cast<size_t>(size_));
  std::string joined;
  for (size_t r = 0; r < parts.size(); ++r) {
    lengths[r] = parts[r].size();
    joined.append(reinterpret_cast<const char*>(parts[r].data()), parts[r].size());
  }
  broadcast(std::as_writable_bytes(std::span(lengths)), 0);
  joined = broadcast(std::move(joined), 0);
  std::vector<std::string> all;
  size_t first = 0;
  for (const uint64_t length : lengths) {
    all.push_back(joined.substr(first, length));
    first += length;
  }
  return all;
}

void HostChannel::barrier() const {
  MPI_Request request;
  check_mpi(MPI_Ibarrier(comm_, &request), "barrier");
  wait_for(request, "barrier");
}

}  // namespace dfine::inline distributed
