#include "memory/host_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <cstring>

#include "memory/host_arena.h"

namespace dfine::inline memory {
namespace {

constexpr size_t kSmall = size_t{64} << 10;  // malloc keeps those itself

/// Never destroyed: tensors of static lifetime may outlive main().
HostArena& arena() {
  static HostArena* const instance = new HostArena;
  return *instance;
}

/// LibTorch's own.
c10::Allocator& malloc_allocator() {
  static c10::Allocator* const instance = c10::GetDefaultCPUAllocator();
  return *instance;
}

void give_back(void* data) {
  if (!arena().free(data)) malloc_allocator().raw_deallocate(data);
}

class ArenaAllocator : public c10::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) override {
    void* const data =
        bytes < kSmall ? malloc_allocator().raw_allocate(bytes) : arena().allocate(bytes);
    TORCH_CHECK_WITH(OutOfMemoryError, data || bytes == 0, "there is no memory for ", bytes,
                     " bytes on the CPU");
    return {data, data, &give_back, at::Device(at::kCPU)};
  }

  at::DeleterFnPtr raw_deleter() const override { return &give_back; }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
};

}  // namespace

void use_host_arena() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  static ArenaAllocator* const allocator = new ArenaAllocator;
  c10::SetCPUAllocator(allocator, /*priority=*/1);
#endif
}

}  // namespace dfine::inline memory
