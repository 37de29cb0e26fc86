#pragma once
// Memory for large tensors on the CPU. malloc returns a freed tensor of some megabytes to the
// kernel. A training step then spends a fifth of its time on faulting and zeroing pages
// (docs/benchmarks.md). The arena keeps what is freed, and asks the kernel for huge pages.
#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace dfine::inline memory {

/// May be used by several threads at a time.
class HostArena {
 public:
  /// region_bytes: of address space, reserved at a time. Memory is used where it is written to.
  explicit HostArena(size_t region_bytes = size_t{64} << 30);
  ~HostArena();
  HostArena(const HostArena&) = delete;
  HostArena& operator=(const HostArena&) = delete;

  /// The smallest free block that is large enough, aligned to 4096. Null if the kernel has no more.
  void* allocate(size_t bytes);
  /// False if allocate() did not return it.
  bool free(void* pointer);
  /// In blocks that are handed out.
  size_t used_bytes() const;
  /// Free blocks, all regions together: one for each region if nothing is handed out.
  size_t free_blocks() const;

 private:
  using Block = std::pair<size_t, std::byte*>;  // size and start, so that a set orders by size

  bool add_region(size_t bytes);
  void insert_free(std::byte* start, size_t bytes);
  void erase_free(std::map<std::byte*, size_t>::iterator block);

  mutable std::mutex mutex_;
  size_t region_bytes_;
  size_t used_bytes_ = 0;
  std::vector<Block> regions_;
  std::map<std::byte*, size_t> free_by_start_, used_;
  std::set<Block> free_by_size_;
};

}  // namespace dfine::inline memory
