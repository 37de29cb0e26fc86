#include "large_heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace dfine {

void use_large_heap(uint64_t bytes) {
#ifdef __GLIBC__
  constexpr int kMost = std::numeric_limits<int>::max();
  mallopt(M_ARENA_MAX, 1);  // threads take what others have freed
  mallopt(M_MMAP_THRESHOLD, kMost);
  mallopt(M_TRIM_THRESHOLD, kMost);
  constexpr size_t kHugePage = 2 << 20;
  const size_t size = std::min<uint64_t>(bytes, kMost) + 2 * kHugePage;
  void* begin = std::malloc(size);
  if (begin == nullptr) return;
  void* first = begin;
  size_t room = size;
  if (std::align(kHugePage, size - kHugePage, first, room) != nullptr)
    madvise(first, size - kHugePage, MADV_HUGEPAGE);
  std::free(begin);
#endif
}

}  // namespace dfine
