// Uses the device wrongly, in the way named by the first argument. "right" uses it as it should be.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>

namespace {

constexpr size_t kBytes = 1000;

void* allocate(int device) {
  void* memory = nullptr;
  cudaSetDevice(device);
  cudaMalloc(&memory, kBytes);
  return memory;
}

char* pinned() {
  void* memory = nullptr;
  cudaMallocHost(&memory, kBytes);
  return static_cast<char*>(memory);
}

cudaStream_t stream_on(int device) {
  cudaStream_t stream = nullptr;
  cudaSetDevice(device);
  cudaStreamCreate(&stream);
  return stream;
}

/// Zero where all is well.
int right() {
  char* from = pinned();
  char* to = pinned();
  cudaStream_t copies = stream_on(0), work = stream_on(0);
  void* memory = allocate(0);
  cudaEvent_t copied = nullptr;
  cudaEventCreate(&copied);
  std::memset(from, 7, kBytes);
  cudaMemcpyAsync(memory, from, kBytes, cudaMemcpyHostToDevice, copies);
  cudaEventRecord(copied, copies);
  cudaStreamWaitEvent(work, copied, 0);
  cudaMemcpyAsync(to, memory, kBytes, cudaMemcpyDeviceToHost, work);
  cudaStreamSynchronize(work);
  cudaFree(memory);
  return to[kBytes - 1] != 7;
}

int memory_of_another_device() {
  void* other = allocate(1);
  allocate(0);
  return cudaMemcpyAsync(other, pinned(), kBytes, cudaMemcpyDefault, nullptr);
}

int fills_memory_of_another_device() {
  void* other = allocate(1);
  cudaStream_t stream = stream_on(0);
  return cudaMemsetAsync(other, 0, kBytes, stream);
}

int thread_without_guard() {
  cudaStream_t stream = stream_on(1);
  int error = 0;
  std::thread([&] {  // begins on device 0
    error = cudaLaunchKernel(reinterpret_cast<void*>(right), 1, 1, nullptr, 0, stream);
  })
      .join();
  return error;
}

int launches_nothing() {
  return cudaLaunchKernel(reinterpret_cast<void*>(right), 0, 1, nullptr, 0, nullptr);
}

int frees_what_is_not_its_own() {
  char memory[8];
  return cudaFree(memory);
}

/// No error: a real device would copy what it finds. With late copies it is noticed.
int fills_a_source_again() {
  char* from = pinned();
  void* memory = allocate(0);
  cudaMemcpyAsync(memory, from, kBytes, cudaMemcpyHostToDevice, nullptr);
  from[1] = 1;
  return cudaDeviceSynchronize();
}

/// 1 where the copy is not there yet.
int reads_before_it_waited() {
  char* from = pinned();
  char* to = pinned();
  void* memory = allocate(0);
  std::memset(from, 7, kBytes);
  cudaMemcpyAsync(memory, from, kBytes, cudaMemcpyHostToDevice, nullptr);
  cudaMemcpyAsync(to, memory, kBytes, cudaMemcpyDeviceToHost, nullptr);
  return to[0] != 7;
}

int takes_too_much() {
  void* memory = nullptr;
  return cudaMalloc(&memory, size_t{1} << 40);
}

/// What cudaEventSynchronize answers, and what cudaGetLastError says after it.
int waits() {
  cudaEvent_t event = nullptr;
  cudaEventCreate(&event);
  int error = 0;
  for (int i = 0; i < 3; ++i) {
    if (const int one = cudaEventSynchronize(event)) error = 10 * error + one;
  }
  return error == cudaGetLastError() || error > 10 ? error : 255;
}

}  // namespace

int main(int, char** arguments) {
  const std::map<std::string, std::function<int()>> ways{
      {"right", right},
      {"memory_of_another_device", memory_of_another_device},
      {"fills_memory_of_another_device", fills_memory_of_another_device},
      {"thread_without_guard", thread_without_guard},
      {"launches_nothing", launches_nothing},
      {"frees_what_is_not_its_own", frees_what_is_not_its_own},
      {"fills_a_source_again", fills_a_source_again},
      {"reads_before_it_waited", reads_before_it_waited},
      {"takes_too_much", takes_too_much},
      {"waits", waits},
  };
  return ways.at(arguments[1])();
}
