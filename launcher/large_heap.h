#pragma once
#include <cstdint>

namespace dfine {

/// For a program that soon needs about `bytes` of memory, and then ends. The heap takes them at
/// once, in huge pages where the system has them, and keeps what is freed. Otherwise page faults
/// take a sixth of the processor time. Without effect where there is no such address space.
void use_large_heap(uint64_t bytes);

}  // namespace dfine
