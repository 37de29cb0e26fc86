#include "streams.h"

#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "devices.h"
#include "record.h"

namespace null {
namespace {

struct Stream {
  int device;
  size_t given = 0, done = 0;
  std::deque<std::function<void()>> pending;
};

/// The work that a stream had been given when the event was recorded.
struct Event {
  Stream* stream = nullptr;
  size_t given = 0;
  bool asked = false;
};

struct Streams {
  std::recursive_mutex mutex;  // work may be a callback that calls us
  std::map<cudaStream_t, std::unique_ptr<Stream>> streams;
  std::map<int, Stream> default_streams;
  std::map<cudaEvent_t, Event> events;
  std::vector<std::function<void()>> when_idle;
};

Streams& all() {
  static Streams* streams = new Streams;
  return *streams;
}

Stream& stream_of(cudaStream_t stream) {
  // 1 and 2 are the names of the default stream and of the thread's default stream.
  if (reinterpret_cast<uintptr_t>(stream) <= 2) {
    const int device = current_device();
    return all().default_streams.try_emplace(device, Stream{device, 0, 0, {}}).first->second;
  }
  return *all().streams.at(stream);
}

void finish(Stream& stream, size_t given) {
  while (stream.done < given && !stream.pending.empty()) {
    const std::function<void()> work = std::move(stream.pending.front());
    stream.pending.pop_front();
    ++stream.done;
    work();
  }
}

bool is_idle(const Stream& stream) {
  return stream.done == stream.given;
}

void look_whether_idle() {
  Streams& s = all();
  if (s.when_idle.empty()) return;
  for (const auto& [handle, stream] : s.streams)
    if (!is_idle(*stream)) return;
  for (const auto& [device, stream] : s.default_streams)
    if (!is_idle(stream)) return;
  for (const std::function<void()>& work : std::exchange(s.when_idle, {})) work();
}

size_t hash(const void* bytes, size_t n) {
  return std::hash<std::string_view>()({static_cast<const char*>(bytes), n});
}

}  // namespace

bool late() {
  static const bool on = [] {
    const char* text = std::getenv("NULLCUDA_LATE_COPIES");
    return text != nullptr && std::string(text) == "1";
  }();
  return on;
}

cudaStream_t new_stream() {
  const std::lock_guard lock(all().mutex);
  const auto stream = static_cast<cudaStream_t>(token());
  all().streams[stream] = std::make_unique<Stream>(Stream{current_device(), 0, 0, {}});
  return stream;
}

cudaEvent_t new_event() {
  const std::lock_guard lock(all().mutex);
  const auto event = static_cast<cudaEvent_t>(token());
  all().events[event] = {};
  return event;
}

int device_of(cudaStream_t stream) {
  const std::lock_guard lock(all().mutex);
  return stream_of(stream).device;
}

bool on_current_device(cudaStream_t stream, const char* function) {
  const int device = device_of(stream);
  if (device == current_device()) return true;
  misuse(std::string(function) + " on a stream of device " + std::to_string(device) +
         " while the thread is on device " + std::to_string(current_device()));
  return false;
}

void submit(cudaStream_t handle, std::function<void()> work, const void* host_source,
            size_t host_bytes) {
  if (!late()) return work();
  const std::lock_guard lock(all().mutex);
  Stream& stream = stream_of(handle);
  ++stream.given;
  count("late", "pieces of work");
  if (host_source == nullptr) {
    stream.pending.push_back(std::move(work));
    return;
  }
  stream.pending.emplace_back(
      [work = std::move(work), host_source, host_bytes, before = hash(host_source, host_bytes)] {
        if (hash(host_source, host_bytes) != before)
          misuse("host memory of " + std::to_string(host_bytes) +
                 " bytes changed before its copy to the device was waited for");
        work();
      });
}

void record(cudaEvent_t event, cudaStream_t handle) {
  const std::lock_guard lock(all().mutex);
  Stream& stream = stream_of(handle);
  all().events[event] = {&stream, stream.given, false};
}

void wait_for(cudaStream_t handle, cudaEvent_t event) {
  const std::lock_guard lock(all().mutex);
  const Event seen = all().events[event];  // recording it again later does not matter
  if (seen.stream == nullptr) return;
  submit(handle, [seen] { finish(*seen.stream, seen.given); });
}

void when_idle(std::function<void()> work) {
  const std::lock_guard lock(all().mutex);
  all().when_idle.push_back(std::move(work));
  look_whether_idle();
}

void finish(cudaStream_t handle) {
  const std::lock_guard lock(all().mutex);
  Stream& stream = stream_of(handle);
  finish(stream, stream.given);
  look_whether_idle();
}

void finish(cudaEvent_t handle) {
  const std::lock_guard lock(all().mutex);
  const Event& event = all().events[handle];
  if (event.stream != nullptr) finish(*event.stream, event.given);
  look_whether_idle();
}

void finish_device() {
  const std::lock_guard lock(all().mutex);
  for (auto& [handle, stream] : all().streams)
    if (stream->device == current_device()) finish(*stream, stream->given);
  finish(cudaStream_t{});
}

bool is_done(cudaEvent_t handle) {
  const std::lock_guard lock(all().mutex);
  Event& event = all().events[handle];
  if (event.stream == nullptr || event.stream->done >= event.given) return true;
  if (std::exchange(event.asked, true)) {
    finish(*event.stream, event.given);
    return true;
  }
  return false;
}

}  // namespace null
