// The driver: a context is always there, so that nobody makes one. LibTorch asks for these
// functions by name (cudaGetDriverEntryPointByVersion).
#include <cuda.h>

#include <map>
#include <mutex>

#include "devices.h"
#include "memory.h"
#include "record.h"

namespace {

struct Pages {
  size_t bytes;
  int device;
};

/// By handle: memory that cuMemCreate made.
std::map<CUmemGenericAllocationHandle, Pages> created;
std::mutex created_mutex;

/// One context a device; nobody looks into it.
CUcontext context_of(int device) {
  static int contexts[64];
  return reinterpret_cast<CUcontext>(&contexts[device]);
}

}  // namespace

extern "C" {

CUresult cuCtxGetCurrent(CUcontext* context) {
  NULL_CALL("cuda", cuCtxGetCurrent);
  *context = context_of(null::current_device());
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  NULL_CALL("cuda", cuDevicePrimaryCtxRetain);
  *context = context_of(device);
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxGetState(CUdevice, unsigned* flags, int* active) {
  NULL_CALL("cuda", cuDevicePrimaryCtxGetState);
  *flags = 0;
  *active = 1;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult, const char** text) {
  NULL_CALL("cuda", cuGetErrorString);
  *text = "error of the null device";
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  NULL_CALL("cuda", cuDeviceGet);
  *device = ordinal;
  return CUDA_SUCCESS;
}

CUresult cuInit(unsigned) {
  NULL_CALL("cuda", cuInit);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice) {
  NULL_CALL("cuda", cuDeviceGetAttribute);
  *value = attribute == CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED ? 1 : 0;
  return CUDA_SUCCESS;
}

// Memory apart from addresses: LibTorch's expandable segments are made of it.

CUresult cuMemGetAllocationGranularity(size_t* bytes, const CUmemAllocationProp*,
                                       CUmemAllocationGranularity_flags) {
  NULL_CALL("cuda", cuMemGetAllocationGranularity);
  *bytes = size_t{2} << 20;
  return CUDA_SUCCESS;
}

CUresult cuMemAddressReserve(CUdeviceptr* start, size_t bytes, size_t, CUdeviceptr,
                             unsigned long long) {
  NULL_CALL("cuda", cuMemAddressReserve);
  *start = reinterpret_cast<CUdeviceptr>(null::reserve(bytes));
  return *start != 0 ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult cuMemAddressFree(CUdeviceptr start, size_t bytes) {
  NULL_CALL("cuda", cuMemAddressFree);
  null::give_back_addresses(reinterpret_cast<void*>(start), bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, size_t bytes,
                     const CUmemAllocationProp* properties, unsigned long long) {
  NULL_CALL("cuda", cuMemCreate);
  const int device = properties->location.id;
  if (!null::take_pages(bytes, device)) return CUDA_ERROR_OUT_OF_MEMORY;
  *handle = reinterpret_cast<CUmemGenericAllocationHandle>(null::token());
  const std::lock_guard<std::mutex> lock(created_mutex);
  created[*handle] = {bytes, device};
  return CUDA_SUCCESS;
}

CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  NULL_CALL("cuda", cuMemRelease);
  const std::lock_guard<std::mutex> lock(created_mutex);
  const auto found = created.find(handle);
  if (found == created.end()) return CUDA_ERROR_INVALID_VALUE;
  null::give_back_pages(found->second.bytes, found->second.device);
  created.erase(found);
  return CUDA_SUCCESS;
}

CUresult cuMemMap(CUdeviceptr start, size_t bytes, size_t, CUmemGenericAllocationHandle handle,
                  unsigned long long) {
  NULL_CALL("cuda", cuMemMap);
  const std::lock_guard<std::mutex> lock(created_mutex);
  const auto found = created.find(handle);
  if (found == created.end() || found->second.bytes < bytes) return CUDA_ERROR_INVALID_VALUE;
  return null::map(reinterpret_cast<void*>(start), bytes, found->second.device)
             ? CUDA_SUCCESS
             : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuMemSetAccess(CUdeviceptr, size_t, const CUmemAccessDesc*, size_t) {
  NULL_CALL("cuda", cuMemSetAccess);
  return CUDA_SUCCESS;
}

/// A real device may still be at work there: the caller has to wait first.
CUresult cuMemUnmap(CUdeviceptr start, size_t bytes) {
  NULL_CALL("cuda", cuMemUnmap);
  return null::unmap(reinterpret_cast<void*>(start), bytes) ? CUDA_SUCCESS
                                                            : CUDA_ERROR_INVALID_VALUE;
}

}  // extern "C"
