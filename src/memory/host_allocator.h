#pragma once

namespace dfine::inline memory {

/// From now on, tensors on the CPU of at least 64 KiB come from a HostArena, for the whole process.
/// Call it once, before other threads allocate. In builds with sanitizers it does nothing: those
/// watch malloc.
void use_host_arena();

}  // namespace dfine::inline memory
