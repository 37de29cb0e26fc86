// CUDA's runtime: the functions that must do or answer something. generate.py writes the others.
#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "devices.h"
#include "faults.h"
#include "memory.h"
#include "record.h"
#include "streams.h"

namespace {

using null::Kind;
using null::Place;

constexpr int kVersion = 13020;

thread_local cudaError_t last_error = cudaSuccess;

cudaError_t failed(int code) {
  return last_error = static_cast<cudaError_t>(code);
}

/// First line of each function: as NULL_CALL, and cudaGetLastError will say it too.
#define CUDART(function)                            \
  static null::Call null_call("cudart", #function); \
  if (const int error = null_call.enter()) return failed(error)

/// What the program's initialisers register: kernels and variables of the device.
struct Registered {
  std::mutex mutex;
  std::unordered_map<const void*, std::string> kernels;
  std::unordered_map<const void*, void*> variables;
};

Registered& registered() {
  static Registered* all = new Registered;
  return *all;
}

cudaError_t launch(const void* kernel, dim3 grid, dim3 block, cudaStream_t stream,
                   const char* function) {
  std::string name = "unknown";
  {
    Registered& r = registered();
    const std::lock_guard<std::mutex> lock(r.mutex);
    const auto found = r.kernels.find(kernel);
    if (found != r.kernels.end()) name = found->second;
  }
  null::count("kernels", name);
  null::count("launches", std::to_string(null::current_device()));
  const size_t threads = size_t{block.x} * block.y * block.z;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || threads == 0 || threads > 1024) {
    null::misuse("launch of a grid or block of a wrong size: " + name);
    return failed(cudaErrorInvalidConfiguration);
  }
  if (!null::on_current_device(stream, function)) return failed(cudaErrorInvalidResourceHandle);
  return cudaSuccess;
}

cudaError_t wait_recorded(const char* function) {
  null::count_with_place("waits", function);
  return cudaSuccess;
}

bool foreign(const Place& place, int device, const char* function) {
  if (place.kind != Kind::kDevice || place.device == device) return false;
  null::misuse(std::string(function) + " on device " + std::to_string(device) +
               " with memory of device " + std::to_string(place.device));
  return true;
}

void count_copy(const Place& from, const Place& to, size_t bytes) {
  const std::string way = name(from.kind) + ">" + name(to.kind);
  if (from.kind != to.kind && (from.kind == Kind::kPageable || to.kind == Kind::kPageable)) {
    null::count_with_place("copies", way);
  } else {
    null::count("copies", way);
  }
  null::count("copied bytes", way, static_cast<long>(bytes));
  if (from.kind == Kind::kDevice && to.kind != Kind::kDevice)
    null::count("copies to the host of bytes", std::to_string(bytes));
}

void bring(void* to, const void* from, size_t bytes, bool to_host) {
  std::memmove(to, from, bytes);
  if (to_host && null::copy_becomes_nan(bytes)) std::memset(to, 0xff, bytes);
}

cudaError_t copy(void* to, const void* from, size_t bytes, cudaStream_t stream,
                 const char* function) {
  if (bytes == 0) return cudaSuccess;
  const Place source = null::place_of(from), target = null::place_of(to);
  count_copy(source, target, bytes);
  const int device = null::device_of(stream);
  if (foreign(source, device, function) || foreign(target, device, function))
    return failed(cudaErrorInvalidValue);
  const bool to_host = source.kind == Kind::kDevice && target.kind != Kind::kDevice;
  if (target.kind == Kind::kPageable) {  // comes back when the copy is done
    null::finish(stream);
    bring(to, from, bytes, to_host);
  } else if (source.kind == Kind::kPageable &&
             null::late()) {  // comes back when the source is read
    const auto* first = static_cast<const char*>(from);
    null::submit(stream, [to, read = std::vector<char>(first, first + bytes)] {
      std::memcpy(to, read.data(), read.size());
    });
  } else {
    const bool from_pinned = source.kind == Kind::kPinned;
    null::submit(
        stream, [=] { bring(to, from, bytes, to_host); }, from_pinned ? from : nullptr, bytes);
  }
  return cudaSuccess;
}

cudaError_t fill(void* memory, int value, size_t bytes, cudaStream_t stream, const char* function) {
  if (bytes == 0) return cudaSuccess;
  if (!null::belongs_to(null::device_of(stream), memory, function))
    return failed(cudaErrorInvalidValue);
  null::submit(stream, [=] { std::memset(memory, value, bytes); });
  return cudaSuccess;
}

cudaError_t allocate(void** memory, size_t bytes, Kind kind) {
  *memory = null::take(bytes, kind);
  return *memory != nullptr ? cudaSuccess : failed(cudaErrorMemoryAllocation);
}

/// A real device waits before it frees. Here the memory is kept until all work is done, so that
/// work can be late all the same.
cudaError_t release(void* memory) {
  if (memory == nullptr) return cudaSuccess;
  if (null::place_of(memory).kind == Kind::kPageable) {
    null::misuse("free of memory that was not allocated");
    return failed(cudaErrorInvalidValue);
  }
  null::when_idle([memory] { null::give_back(memory); });
  return cudaSuccess;
}

/// An H100's, as far as LibTorch asks.
cudaDeviceProp properties_of(int device) {
  cudaDeviceProp p{};
  std::snprintf(p.name, sizeof p.name, "Null device");
  p.uuid.bytes[0] = 0x11;
  p.uuid.bytes[15] = static_cast<char>(device);  // programs tell devices apart by it
  p.totalGlobalMem = null::device_memory();
  p.major = 9;
  p.warpSize = 32;
  p.multiProcessorCount = 132;
  p.maxThreadsPerBlock = 1024;
  p.maxThreadsPerMultiProcessor = 2048;
  p.maxBlocksPerMultiProcessor = 32;
  p.maxThreadsDim[0] = p.maxThreadsDim[1] = 1024;
  p.maxThreadsDim[2] = 64;
  p.maxGridSize[0] = 2147483647;
  p.maxGridSize[1] = p.maxGridSize[2] = 65535;
  p.regsPerBlock = p.regsPerMultiprocessor = 65536;
  p.sharedMemPerBlock = 48 << 10;
  p.sharedMemPerBlockOptin = 227 << 10;
  p.sharedMemPerMultiprocessor = 228 << 10;
  p.reservedSharedMemPerBlock = 1 << 10;
  p.totalConstMem = 64 << 10;
  p.l2CacheSize = 50 << 20;
  p.memoryBusWidth = 5120;
  p.memPitch = 2147483647;
  p.textureAlignment = 512;
  p.asyncEngineCount = 3;
  p.pciBusID = device + 1;
  p.unifiedAddressing = p.canMapHostMemory = p.concurrentKernels = p.managedMemory = 1;
  p.concurrentManagedAccess = p.cooperativeLaunch = p.streamPrioritiesSupported = 1;
  p.globalL1CacheSupported = p.localL1CacheSupported = p.memoryPoolsSupported = 1;
  return p;
}

struct LaunchConfiguration {
  dim3 grid, block;
  size_t shared = 0;
  cudaStream_t stream = nullptr;
};
thread_local LaunchConfiguration pushed;

int driver_does_nothing() {
  NULL_CALL("cuda", entry_point);
  return 0;
}

}  // namespace

extern "C" {

// --- devices

cudaError_t cudaGetDeviceCount(int* count) {
  CUDART(cudaGetDeviceCount);
  *count = null::device_count();
  return *count > 0 ? cudaSuccess : failed(cudaErrorNoDevice);
}

cudaError_t cudaGetDevice(int* device) {
  CUDART(cudaGetDevice);
  *device = null::current_device();
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  CUDART(cudaSetDevice);
  if (device < 0 || device >= null::device_count()) return failed(cudaErrorInvalidDevice);
  null::current_device() = device;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  CUDART(cudaGetDeviceProperties);
  *properties = properties_of(device);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  CUDART(cudaDeviceGetAttribute);
  const cudaDeviceProp p = properties_of(device);
  const std::unordered_map<int, int> values{
      {cudaDevAttrMultiProcessorCount, p.multiProcessorCount},
      {cudaDevAttrMaxThreadsPerBlock, p.maxThreadsPerBlock},
      {cudaDevAttrMaxThreadsPerMultiProcessor, p.maxThreadsPerMultiProcessor},
      {cudaDevAttrMaxBlocksPerMultiprocessor, p.maxBlocksPerMultiProcessor},
      {cudaDevAttrMaxBlockDimX, p.maxThreadsDim[0]},
      {cudaDevAttrMaxBlockDimY, p.maxThreadsDim[1]},
      {cudaDevAttrMaxBlockDimZ, p.maxThreadsDim[2]},
      {cudaDevAttrMaxGridDimX, p.maxGridSize[0]},
      {cudaDevAttrMaxGridDimY, p.maxGridSize[1]},
      {cudaDevAttrMaxGridDimZ, p.maxGridSize[2]},
      {cudaDevAttrMaxSharedMemoryPerBlock, static_cast<int>(p.sharedMemPerBlock)},
      {cudaDevAttrMaxSharedMemoryPerBlockOptin, static_cast<int>(p.sharedMemPerBlockOptin)},
      {cudaDevAttrMaxSharedMemoryPerMultiprocessor, static_cast<int>(p.sharedMemPerMultiprocessor)},
      {cudaDevAttrMaxRegistersPerBlock, p.regsPerBlock},
      {cudaDevAttrL2CacheSize, p.l2CacheSize},
      {cudaDevAttrWarpSize, p.warpSize},
      {cudaDevAttrComputeCapabilityMajor, p.major},
      {cudaDevAttrClockRate, 1980000},
  };
  const auto found = values.find(attribute);
  *value = found != values.end() ? found->second : 0;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  std::snprintf(text, static_cast<size_t>(length), "0000:%02x:00.0", device + 1);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) {
  *can = 0;  // memory of another device must be refused
  return cudaSuccess;
}

// --- errors

cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}

cudaError_t cudaPeekAtLastError() {
  return last_error;
}

const char* cudaGetErrorString(cudaError_t error) {
  thread_local std::string text;
  text = error == cudaErrorMemoryAllocation
             ? "out of memory"
             : "error " + std::to_string(error) + " of the null device";
  return text.c_str();
}

const char* cudaGetErrorName(cudaError_t error) {
  return cudaGetErrorString(error);
}

// --- memory

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  CUDART(cudaMalloc);
  return allocate(memory, bytes, Kind::kDevice);
}

cudaError_t cudaMallocAsync(void** memory, size_t bytes, cudaStream_t) {
  CUDART(cudaMallocAsync);
  return allocate(memory, bytes, Kind::kDevice);
}

cudaError_t cudaMallocManaged(void** memory, size_t bytes, unsigned) {
  CUDART(cudaMallocManaged);
  return allocate(memory, bytes, Kind::kDevice);
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  CUDART(cudaHostAlloc);
  return allocate(memory, bytes, Kind::kPinned);
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  CUDART(cudaMallocHost);
  return allocate(memory, bytes, Kind::kPinned);
}

cudaError_t cudaFree(void* memory) {
  CUDART(cudaFree);
  return release(memory);
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t) {
  CUDART(cudaFreeAsync);
  return release(memory);
}

cudaError_t cudaFreeHost(void* memory) {
  CUDART(cudaFreeHost);
  return release(memory);
}

cudaError_t cudaHostRegister(void* memory, size_t bytes, unsigned) {
  CUDART(cudaHostRegister);
  null::pin(memory, bytes);
  return cudaSuccess;
}

cudaError_t cudaHostUnregister(void* memory) {
  CUDART(cudaHostUnregister);
  null::unpin(memory);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  CUDART(cudaMemGetInfo);
  *total = null::device_memory();
  *free = null::free_memory(null::current_device());
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
  CUDART(cudaPointerGetAttributes);
  const Place place = null::place_of(memory);
  void* pointer = const_cast<void*>(memory);
  *attributes = {};
  attributes->device = place.kind == Kind::kDevice ? place.device : null::current_device();
  if (place.kind == Kind::kPageable) {
    attributes->type = cudaMemoryTypeUnregistered;
    return cudaSuccess;
  }
  attributes->type = place.kind == Kind::kDevice ? cudaMemoryTypeDevice : cudaMemoryTypeHost;
  attributes->devicePointer = pointer;
  if (place.kind == Kind::kPinned) attributes->hostPointer = pointer;
  return cudaSuccess;
}

// --- copies; where they go is known from the pointers

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  CUDART(cudaMemcpy);
  wait_recorded("cudaMemcpy");
  const cudaError_t error = copy(to, from, bytes, nullptr, "cudaMemcpy");
  null::finish(cudaStream_t{});
  return error;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  CUDART(cudaMemcpyAsync);
  return copy(to, from, bytes, stream, "cudaMemcpyAsync");
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                              size_t width, size_t height, cudaMemcpyKind, cudaStream_t stream) {
  CUDART(cudaMemcpy2DAsync);
  if (width == 0 || height == 0) return cudaSuccess;
  const Place source = null::place_of(from), target = null::place_of(to);
  count_copy(source, target, width * height);
  const int device = null::device_of(stream);
  if (foreign(source, device, "cudaMemcpy2DAsync") || foreign(target, device, "cudaMemcpy2DAsync"))
    return failed(cudaErrorInvalidValue);
  null::finish(stream);  // never late: its memory is not one piece
  for (size_t row = 0; row < height; ++row)
    std::memmove(static_cast<char*>(to) + row * to_pitch,
                 static_cast<const char*>(from) + row * from_pitch, width);
  return cudaSuccess;
}

cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes,
                                cudaStream_t stream) {
  CUDART(cudaMemcpyPeerAsync);
  null::count("copies", "device>another device");
  null::submit(stream, [=] { std::memmove(to, from, bytes); });
  return cudaSuccess;
}

cudaError_t cudaMemset(void* memory, int value, size_t bytes) {
  CUDART(cudaMemset);
  return fill(memory, value, bytes, nullptr, "cudaMemset");
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  CUDART(cudaMemsetAsync);
  return fill(memory, value, bytes, stream, "cudaMemsetAsync");
}

cudaError_t cudaGetSymbolAddress(void** memory, const void* symbol) {
  const std::lock_guard<std::mutex> lock(registered().mutex);
  const auto found = registered().variables.find(symbol);
  if (found == registered().variables.end()) return failed(cudaErrorInvalidSymbol);
  *memory = found->second;
  return cudaSuccess;
}

cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, size_t bytes, size_t offset,
                               cudaMemcpyKind) {
  CUDART(cudaMemcpyToSymbol);
  void* to = nullptr;
  if (const cudaError_t error = cudaGetSymbolAddress(&to, symbol)) return error;
  std::memcpy(static_cast<char*>(to) + offset, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
  *pool = static_cast<cudaMemPool_t>(null::token());
  return cudaSuccess;
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr, void* value) {
  std::memset(value, 0, sizeof(unsigned long long));
  return cudaSuccess;
}

// --- streams and events

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  CUDART(cudaStreamCreate);
  *stream = null::new_stream();
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return cudaStreamCreate(stream);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned, int) {
  return cudaStreamCreate(stream);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  CUDART(cudaStreamDestroy);
  null::finish(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  *status = cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t, cudaStreamCaptureStatus* status,
                                     unsigned long long* id, cudaGraph_t* graph,
                                     const cudaGraphNode_t** nodes, const cudaGraphEdgeData** edges,
                                     size_t* count) {
  if (status != nullptr) *status = cudaStreamCaptureStatusNone;
  if (id != nullptr) *id = 0;
  if (graph != nullptr) *graph = nullptr;
  if (nodes != nullptr) *nodes = nullptr;
  if (edges != nullptr) *edges = nullptr;
  if (count != nullptr) *count = 0;
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  thread_local cudaStreamCaptureMode current = cudaStreamCaptureModeGlobal;
  std::swap(*mode, current);
  return cudaSuccess;
}

cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t call, void* data,
                                  unsigned) {
  CUDART(cudaStreamAddCallback);
  null::submit(stream, [=] { call(stream, cudaSuccess, data); });
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t call, void* data) {
  CUDART(cudaLaunchHostFunc);
  null::submit(stream, [=] { call(data); });
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  CUDART(cudaStreamQuery);
  null::finish(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  CUDART(cudaStreamSynchronize);
  null::finish(stream);
  return wait_recorded("cudaStreamSynchronize");
}

cudaError_t cudaDeviceSynchronize() {
  CUDART(cudaDeviceSynchronize);
  null::finish_device();
  return wait_recorded("cudaDeviceSynchronize");
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  CUDART(cudaStreamWaitEvent);
  null::wait_for(stream, event);
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  CUDART(cudaEventCreate);
  *event = null::new_event();
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return cudaEventCreate(event);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  CUDART(cudaEventRecord);
  null::record(event, stream);
  return cudaSuccess;
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned) {
  return cudaEventRecord(event, stream);
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  CUDART(cudaEventQuery);
  return null::is_done(event) ? cudaSuccess : failed(cudaErrorNotReady);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  CUDART(cudaEventSynchronize);
  null::finish(event);
  return wait_recorded("cudaEventSynchronize");
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {
  *milliseconds = 1;
  return cudaSuccess;
}

// --- kernels

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  CUDART(cudaFuncGetAttributes);
  *attributes = {};
  attributes->maxThreadsPerBlock = 1024;
  attributes->numRegs = 32;
  attributes->binaryVersion = attributes->ptxVersion = 90;
  attributes->maxDynamicSharedSizeBytes = 227 << 10;
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int threads,
                                                          size_t) {
  CUDART(cudaOccupancyMaxActiveBlocksPerMultiprocessor);
  *blocks = std::clamp(2048 / std::max(threads, 1), 1, 32);  // LibTorch divides by it
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* kernel,
                                                                   int threads, size_t shared,
                                                                   unsigned) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, kernel, threads, shared);
}

cudaError_t cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void**, size_t,
                             cudaStream_t stream) {
  CUDART(cudaLaunchKernel);
  return launch(kernel, grid, block, stream, "cudaLaunchKernel");
}

cudaError_t cudaLaunchCooperativeKernel(const void* kernel, dim3 grid, dim3 block, void**, size_t,
                                        cudaStream_t stream) {
  CUDART(cudaLaunchCooperativeKernel);
  return launch(kernel, grid, block, stream, "cudaLaunchCooperativeKernel");
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* how, const void* kernel, void**) {
  CUDART(cudaLaunchKernelExC);
  return launch(kernel, how->gridDim, how->blockDim, how->stream, "cudaLaunchKernelExC");
}

// What the compiler's <<<...>>> becomes.

void** __cudaRegisterFatBinary(void*) {
  static void* handle[4];
  return handle;
}

void __cudaRegisterFatBinaryEnd(void**) {}

void __cudaUnregisterFatBinary(void**) {}

void __cudaRegisterFunction(void**, const char* host, char*, const char* name, int, uint3*, uint3*,
                            dim3*, dim3*, int*) {
  const std::lock_guard<std::mutex> lock(registered().mutex);
  registered().kernels[host] = name;
}

void __cudaRegisterVar(void**, char* host, char*, const char*, int, size_t size, int, int) {
  const std::lock_guard<std::mutex> lock(registered().mutex);
  registered().variables[host] = std::calloc(1, size);
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, cudaStream_t stream) {
  pushed = {grid, block, shared, stream};
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream) {
  *grid = pushed.grid;
  *block = pushed.block;
  *shared = pushed.shared;
  *static_cast<cudaStream_t*>(stream) = pushed.stream;
  return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* host) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(host));
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void**, size_t,
                               cudaStream_t stream) {
  CUDART(__cudaLaunchKernel);
  return launch(kernel, grid, block, stream, "cudaLaunchKernel");
}

// --- the driver's functions; LibTorch asks for them by name and takes null for a failure

cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned,
                                             unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  static void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  *function = driver != nullptr ? dlsym(driver, name) : nullptr;
  if (*function == nullptr) *function = reinterpret_cast<void*>(driver_does_nothing);
  if (result != nullptr) *result = cudaDriverEntryPointSuccess;
  return cudaSuccess;
}

}  // extern "C"
