// NCCL: a group's members do not talk. The sum is what this rank gave; what others would have
// given to a gather is this rank's part again. The order of the calls is recorded.
#include <nccl.h>

#include <cstring>
#include <string>

#include "devices.h"
#include "memory.h"
#include "record.h"
#include "streams.h"

struct ncclComm {
  int rank, size, device;
  std::string name;
};

namespace {

constexpr int kVersion = NCCL_VERSION_CODE;

ncclResult_t join(ncclComm_t* made, int size, int rank, const ncclConfig_t* config) {
  const bool named = config != nullptr && config->commName != nullptr;
  *made = new ncclComm{rank, size, null::current_device(), named ? config->commName : "unnamed"};
  null::nccl_call((*made)->name + " join " + std::to_string(size));
  return ncclSuccess;
}

size_t width(ncclDataType_t type) {
  switch (type) {
    case ncclInt64:
    case ncclUint64:
    case ncclFloat64:
      return 8;
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32:
      return 4;
    case ncclFloat16:
    case ncclBfloat16:
      return 2;
    default:
      return 1;
  }
}

/// Copies this rank's part to `parts` places, after it looked at the memory and wrote the record.
ncclResult_t exchange(const char* function, const void* from, void* to, size_t count,
                      ncclDataType_t type, ncclComm_t comm, cudaStream_t stream, int parts) {
  null::nccl_call(comm->name + " " + function + " " + std::to_string(count) + " type " +
                  std::to_string(type));
  if (!null::belongs_to(comm->device, from, function) ||
      !null::belongs_to(comm->device, to, function) || !null::on_current_device(stream, function))
    return ncclInvalidArgument;
  const size_t bytes = count * width(type);
  null::submit(stream, [=] {
    for (int i = 0; i < parts; ++i)
      std::memmove(static_cast<char*>(to) + static_cast<size_t>(i) * bytes, from, bytes);
  });
  return ncclSuccess;
}

}  // namespace

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  *version = kVersion;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  NULL_CALL("nccl", ncclGetUniqueId);
  std::memset(id, 7, sizeof *id);
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclSuccess ? "no error" : "error of the null device";
}

const char* ncclGetLastError(ncclComm_t) {
  return "";
}

ncclResult_t ncclCommInitRank(ncclComm_t* made, int size, ncclUniqueId, int rank) {
  NULL_CALL("nccl", ncclCommInitRank);
  return join(made, size, rank, nullptr);
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* made, int size, ncclUniqueId, int rank,
                                    ncclConfig_t* config) {
  NULL_CALL("nccl", ncclCommInitRankConfig);
  return join(made, size, rank, config);
}

ncclResult_t ncclCommInitRankScalable(ncclComm_t* made, int size, int rank, int, ncclUniqueId*,
                                      ncclConfig_t* config) {
  NULL_CALL("nccl", ncclCommInitRankScalable);
  return join(made, size, rank, config);
}

ncclResult_t ncclCommSplit(ncclComm_t comm, int, int, ncclComm_t* made, ncclConfig_t* config) {
  NULL_CALL("nccl", ncclCommSplit);
  return join(made, comm->size, comm->rank, config);
}

/// An error that NULLCUDA_FAIL asks for is the communicator's, not the question's.
ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t* error) {
  static null::Call call("nccl", "ncclCommGetAsyncError");
  *error = static_cast<ncclResult_t>(call.enter());
  return ncclSuccess;
}

ncclResult_t ncclCommCount(const ncclComm_t comm, int* count) {
  *count = comm->size;
  return ncclSuccess;
}

ncclResult_t ncclCommUserRank(const ncclComm_t comm, int* rank) {
  *rank = comm->rank;
  return ncclSuccess;
}

ncclResult_t ncclMemAlloc(void** memory, size_t bytes) {
  NULL_CALL("nccl", ncclMemAlloc);
  *memory = null::take(bytes, null::Kind::kDevice);
  return *memory != nullptr ? ncclSuccess : ncclSystemError;
}

ncclResult_t ncclMemFree(void* memory) {
  NULL_CALL("nccl", ncclMemFree);
  return null::give_back(memory) ? ncclSuccess : ncclInvalidArgument;
}

ncclResult_t ncclAllReduce(const void* from, void* to, size_t count, ncclDataType_t type,
                           ncclRedOp_t, ncclComm_t comm, cudaStream_t stream) {
  NULL_CALL("nccl", ncclAllReduce);
  return exchange("AllReduce", from, to, count, type, comm, stream, 1);
}

ncclResult_t ncclAllGather(const void* from, void* to, size_t count, ncclDataType_t type,
                           ncclComm_t comm, cudaStream_t stream) {
  NULL_CALL("nccl", ncclAllGather);
  return exchange("AllGather", from, to, count, type, comm, stream, comm->size);
}

ncclResult_t ncclBroadcast(const void* from, void* to, size_t count, ncclDataType_t type, int,
                           ncclComm_t comm, cudaStream_t stream) {
  NULL_CALL("nccl", ncclBroadcast);
  return exchange("Broadcast", from, to, count, type, comm, stream, 1);
}

ncclResult_t ncclBcast(void* memory, size_t count, ncclDataType_t type, int, ncclComm_t comm,
                       cudaStream_t stream) {
  NULL_CALL("nccl", ncclBcast);
  return exchange("Bcast", memory, memory, count, type, comm, stream, 1);
}

}  // extern "C"
