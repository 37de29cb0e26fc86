#include "memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "devices.h"
#include "record.h"

namespace null {
namespace {

struct Block {
  size_t bytes;
  size_t mapped;  // 0: the program's own memory
  Place place;
};

struct Memory {
  std::mutex mutex;
  std::map<uintptr_t, Block> blocks;
  std::vector<size_t> used = std::vector<size_t>(static_cast<size_t>(device_count()));
};

/// Never destroyed: libraries free memory from their own destructors.
Memory& memory() {
  static Memory* all = new Memory;
  return *all;
}

uintptr_t address(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer);
}

/// With the mutex held.
bool charge(Memory& m, int device, size_t bytes) {
  size_t& used = m.used[static_cast<size_t>(device)];
  if (used + bytes > device_memory()) return false;
  used += bytes;
  peak("peak device bytes", std::to_string(device), static_cast<long>(used));
  return true;
}

}  // namespace

bool take_pages(size_t bytes, int device) {
  const std::lock_guard<std::mutex> lock(memory().mutex);
  return charge(memory(), device, bytes);
}

void give_back_pages(size_t bytes, int device) {
  const std::lock_guard<std::mutex> lock(memory().mutex);
  memory().used[static_cast<size_t>(device)] -= bytes;
}

void* reserve(size_t bytes) {
  void* start = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return start == MAP_FAILED ? nullptr : start;
}

void give_back_addresses(void* start, size_t bytes) {
  munmap(start, bytes);
}

bool map(void* start, size_t bytes, int device) {
  const std::lock_guard<std::mutex> lock(memory().mutex);
  if (mprotect(start, bytes, PROT_READ | PROT_WRITE) != 0) return false;
  memory().blocks[address(start)] = {bytes, 0, {Kind::kDevice, device}};
  return true;
}

bool unmap(void* start, size_t bytes) {
  const std::lock_guard<std::mutex> lock(memory().mutex);
  if (memory().blocks.erase(address(start)) == 0) return false;
  return madvise(start, bytes, MADV_DONTNEED) == 0 && mprotect(start, bytes, PROT_NONE) == 0;
}

void* take(size_t bytes, Kind kind) {
  const int device = kind == Kind::kDevice ? current_device() : -1;
  constexpr size_t kPage = 4096;
  const size_t mapped =
      (bytes / kPage + 2) * kPage;  // a page more than is used: blocks never touch
  Memory& m = memory();
  const std::lock_guard<std::mutex> lock(m.mutex);
  if (device >= 0 && !charge(m, device, bytes)) return nullptr;
  void* start = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) {
    if (device >= 0) m.used[static_cast<size_t>(device)] -= bytes;
    return nullptr;
  }
  m.blocks[address(start)] = {bytes, mapped, {kind, device}};
  return start;
}

bool give_back(void* start) {
  Memory& m = memory();
  const std::lock_guard<std::mutex> lock(m.mutex);
  const auto found = m.blocks.find(address(start));
  if (found == m.blocks.end() || found->second.mapped == 0) return false;
  const Block block = found->second;
  m.blocks.erase(found);
  if (block.place.device >= 0) m.used[static_cast<size_t>(block.place.device)] -= block.bytes;
  munmap(start, block.mapped);
  return true;
}

void pin(void* start, size_t bytes) {
  const std::lock_guard<std::mutex> lock(memory().mutex);
  memory().blocks[address(start)] = {bytes, 0, {Kind::kPinned, -1}};
}

void unpin(void* start) {
  const std::lock_guard<std::mutex> lock(memory().mutex);
  memory().blocks.erase(address(start));
}

Place place_of(const void* pointer) {
  Memory& m = memory();
  const std::lock_guard<std::mutex> lock(m.mutex);
  auto block = m.blocks.upper_bound(address(pointer));
  if (block == m.blocks.begin()) return {};
  --block;
  // One past the end is still the block's: empty tensors point there.
  return address(pointer) <= block->first + block->second.bytes ? block->second.place : Place();
}

size_t free_memory(int device) {
  const std::lock_guard<std::mutex> lock(memory().mutex);
  return device_memory() - memory().used[static_cast<size_t>(device)];
}

std::string name(Kind kind) {
  return kind == Kind::kDevice ? "device" : kind == Kind::kPinned ? "pinned" : "pageable";
}

bool belongs_to(int device, const void* pointer, const char* function) {
  if (pointer == nullptr) return true;  // nothing to read there: operations without elements
  const Place place = place_of(pointer);
  if (place.kind == Kind::kDevice && place.device == device) return true;
  misuse(std::string(function) + " on device " + std::to_string(device) + " with " +
         name(place.kind) + " memory" +
         (place.device < 0 ? "" : " of device " + std::to_string(place.device)));
  return false;
}

}  // namespace null
