// NVIDIA's management library, as far as LibTorch asks when it makes an expandable segment: no
// NVLink, no fabric. LibTorch opens it by name (dlopen); there is no header of it in the toolkit.
#include "record.h"

namespace {

constexpr int kSuccess = 0, kNotSupported = 3;  // nvmlReturn_t

}  // namespace

extern "C" {

int nvmlInit_v2() {
  NULL_CALL("nvidia-ml", nvmlInit_v2);
  return kSuccess;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char*, void** device) {
  NULL_CALL("nvidia-ml", nvmlDeviceGetHandleByPciBusId_v2);
  *device = null::token();
  return kSuccess;
}

int nvmlDeviceGetComputeRunningProcesses(void*, unsigned* count, void*) {
  NULL_CALL("nvidia-ml", nvmlDeviceGetComputeRunningProcesses);
  *count = 0;
  return kSuccess;
}

int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  NULL_CALL("nvidia-ml", nvmlSystemGetCudaDriverVersion_v2);
  *version = 13000;
  return kSuccess;
}

int nvmlDeviceGetNvLinkRemoteDeviceType(void*, unsigned, void*) {
  NULL_CALL("nvidia-ml", nvmlDeviceGetNvLinkRemoteDeviceType);
  return kNotSupported;
}

int nvmlDeviceGetNvLinkRemotePciInfo_v2(void*, unsigned, void*) {
  NULL_CALL("nvidia-ml", nvmlDeviceGetNvLinkRemotePciInfo_v2);
  return kNotSupported;
}

int nvmlDeviceGetGpuFabricInfoV(void*, void*) {
  NULL_CALL("nvidia-ml", nvmlDeviceGetGpuFabricInfoV);
  return kNotSupported;
}

}  // extern "C"
