#include "memory/host_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace dfine::inline memory {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;

size_t round_up(size_t bytes, size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

/// Address space without memory behind it yet; null if the kernel refuses.
std::byte* reserve(size_t bytes) {
  void* const start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return start == MAP_FAILED ? nullptr : static_cast<std::byte*>(start);
}

}  // namespace

HostArena::HostArena(size_t region_bytes) : region_bytes_(round_up(region_bytes, kHugePage)) {}

HostArena::~HostArena() {
  for (const auto& [bytes, start] : regions_) munmap(start, bytes);
}

void* HostArena::allocate(size_t bytes) {
  // The kernel refuses sizes that exceed the address space; rounding must not overflow before.
  if (bytes > SIZE_MAX / 2) return nullptr;
  bytes = round_up(std::max<size_t>(bytes, 1), kPage);
  const std::scoped_lock lock(mutex_);
  auto best = free_by_size_.lower_bound({bytes, nullptr});
  if (best == free_by_size_.end()) {
    if (!add_region(bytes)) return nullptr;
    best = free_by_size_.lower_bound({bytes, nullptr});
  }
  const auto [size, start] = *best;
  erase_free(free_by_start_.find(start));
  if (size > bytes) insert_free(start + bytes, size - bytes);
  used_.emplace(start, bytes);
  used_bytes_ += bytes;
  return start;
}

bool HostArena::free(void* pointer) {
  if (reinterpret_cast<uintptr_t>(pointer) % kPage != 0) return false;  // without waiting
  const std::scoped_lock lock(mutex_);
  const auto block = used_.find(static_cast<std::byte*>(pointer));
  if (block == used_.end()) return false;
  std::byte* start = block->first;
  size_t bytes = block->second;
  used_.erase(block);
  used_bytes_ -= bytes;
  const auto after = free_by_start_.find(start + bytes);
  if (after != free_by_start_.end()) {
    bytes += after->second;
    erase_free(after);
  }
  auto before = free_by_start_.lower_bound(start);
  if (before != free_by_start_.begin() && (--before)->first + before->second == start) {
    start = before->first;
    bytes += before->second;
    erase_free(before);
  }
  insert_free(start, bytes);
  return true;
}

size_t HostArena::used_bytes() const {
  const std::scoped_lock lock(mutex_);
  return used_bytes_;
}

size_t HostArena::free_blocks() const {
  const std::scoped_lock lock(mutex_);
  return free_by_start_.size();
}

bool HostArena::add_region(size_t bytes) {
  // Less where `ulimit -v` or vm.overcommit_memory = 2 forbid it.
  bytes = round_up(bytes, kHugePage) + kHugePage;
  for (size_t size = std::max(region_bytes_, bytes);; size = std::max(size / 2, bytes)) {
    if (std::byte* const start = reserve(size)) {
      regions_.emplace_back(size, start);
      // Without effect where huge pages are off.
      madvise(start, size, MADV_HUGEPAGE);
      const auto address = reinterpret_cast<uintptr_t>(start);
      const size_t skipped = round_up(address, kHugePage) - address;
      insert_free(start + skipped, size - skipped);
      return true;
    }
    if (size == bytes) return false;
  }
}

void HostArena::insert_free(std::byte* start, size_t bytes) {
  free_by_start_.emplace(start, bytes);
  free_by_size_.emplace(bytes, start);
}

void HostArena::erase_free(std::map<std::byte*, size_t>::iterator block) {
  free_by_size_.erase({block->second, block->first});
  free_by_start_.erase(block);
}

}  // namespace dfine::inline memory
