#pragma once
// Memory of devices and page-locked memory of the host. Both are zeroed host memory; a map knows
// which is which, and whose.
#include <cstddef>
#include <string>

namespace null {

enum class Kind { kPageable, kPinned, kDevice };

struct Place {
  Kind kind = Kind::kPageable;
  int device = -1;  // of device memory
};

/// Null where the device's memory is used up.
void* take(size_t bytes, Kind kind);

/// False: nothing was taken there.
bool give_back(void* memory);

/// Memory of a device without an address, for map(). False where the device's memory is used up.
bool take_pages(size_t bytes, int device);
void give_back_pages(size_t bytes, int device);

/// Addresses for map(), without memory.
void* reserve(size_t bytes);
void give_back_addresses(void* start, size_t bytes);
/// Puts pages at such addresses, and takes them away; their contents are lost then.
bool map(void* start, size_t bytes, int device);
bool unmap(void* start, size_t bytes);

/// Makes memory of the program's own page-locked, and pageable again.
void pin(void* memory, size_t bytes);
void unpin(void* memory);

Place place_of(const void* memory);
size_t free_memory(int device);

/// "pageable", "pinned" or "device".
std::string name(Kind kind);

/// False, and a misuse of `function`: the memory is not the device's.
bool belongs_to(int device, const void* memory, const char* function);

}  // namespace null
