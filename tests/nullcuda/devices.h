#pragma once
// How many devices there are, how large they are, and which one a thread uses.
#include <cstddef>

namespace null {

/// NULLCUDA_DEVICES, else 1.
int device_count();

/// NULLCUDA_MEMORY in MiB, else 80 GiB; memory is taken from the host when it is touched.
size_t device_memory();

/// The calling thread's device. New threads start with device 0, as on a real one.
int& current_device();

}  // namespace null
