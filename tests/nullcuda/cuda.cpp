// The driver: a context is always there, so that nobody makes one. LibTorch asks for these
// functions by name (cudaGetDriverEntryPointByVersion).
#include <cuda.h>

#include "devices.h"
#include "record.h"

namespace {

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

}  // extern "C"
