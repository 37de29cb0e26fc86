#pragma once
// Streams and events, in order. Work is done when it is given, or, with NULLCUDA_LATE_COPIES=1,
// when the host waits for it. The latter shows who changes a source, or reads a result, too early.
#include <driver_types.h>

#include <cstddef>
#include <functional>

namespace null {

/// Whether work waits until the host does.
bool late();

cudaStream_t new_stream();
cudaEvent_t new_event();

/// The device that a stream belongs to; for the default stream the thread's own.
int device_of(cudaStream_t stream);

/// False, and a misuse of `function`: the stream is not of the thread's device.
bool on_current_device(cudaStream_t stream, const char* function);

/// `host_source`: memory that must not change before the work is done, or null.
void submit(cudaStream_t stream, std::function<void()> work, const void* host_source = nullptr,
            size_t host_bytes = 0);

void record(cudaEvent_t event, cudaStream_t stream);
void wait_for(cudaStream_t stream, cudaEvent_t event);

/// Does `work` once no stream has any left, at once where that is so.
void when_idle(std::function<void()> work);

void finish(cudaStream_t stream);
void finish(cudaEvent_t event);
void finish_device();

/// False the first time after work was recorded late. It is done by the second: a device is never
/// stuck.
bool is_done(cudaEvent_t event);

}  // namespace null
