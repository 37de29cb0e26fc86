#include "input/tensor_pool.h"

#include <ATen/ATen.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace dfine::inline input {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

/// Bytes until the next huge page begins; none in small memory, which has no use for them.
size_t until_huge_page(const c10::Storage& memory) {
  if (memory.nbytes() < 3 * kHugePage) return 0;
  return (kHugePage - reinterpret_cast<uintptr_t>(memory.data()) % kHugePage) % kHugePage;
}

/// With room to begin at a huge page where that pays.
c10::Storage allocate(size_t bytes) {
  const size_t room = bytes >= 2 * kHugePage ? bytes + kHugePage : bytes;
  c10::Storage memory =
      at::empty({static_cast<int64_t>(room)}, at::TensorOptions().dtype(at::kByte)).storage();
  const size_t skipped = until_huge_page(memory);
  // A wish: a kernel without huge pages says no, and nothing else changes.
  if (room > bytes)
    madvise(static_cast<char*>(memory.mutable_data()) + skipped, room - skipped, MADV_HUGEPAGE);
  return memory;
}

}  // namespace

Tensor TensorPool::take(at::IntArrayRef sizes, at::ScalarType dtype, at::MemoryFormat format) {
  // Without memory: it has the strides alone.
  const Tensor shape = at::empty(sizes, at::TensorOptions().dtype(dtype).device(at::kMeta), format);
  const auto bytes = static_cast<size_t>(shape.numel()) * shape.element_size();
  const auto is_free = [](const c10::Storage& each) { return each.use_count() == 1; };
  auto found = std::ranges::find_if(memory_, [&](const c10::Storage& each) {
    return is_free(each) && each.nbytes() - until_huge_page(each) >= bytes;
  });
  if (found == memory_.end()) {
    std::erase_if(memory_, is_free);  // all of them are too small
    memory_.push_back(allocate(bytes));
    found = memory_.end() - 1;
  }
  const auto skipped = static_cast<int64_t>(until_huge_page(*found) / shape.element_size());
  // Not a view of a tensor, so that autograd takes it for one of its own.
  return at::empty({0}, at::TensorOptions().dtype(dtype))
      .set_(*found, skipped, shape.sizes(), shape.strides());
}

}  // namespace dfine::inline input
