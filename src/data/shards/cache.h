#pragma once
#include <filesystem>

namespace dfine::inline shards {

/// A copy of `pack` in `cache_dir`, made unless it is there: returns its folder,
/// cache_dir/NAME-CHECKSUM. Every process of a node may call this at once, those of other jobs too.
/// The first one copies and the others wait for it. They wait for a lock on a file beside the copy,
/// which the system lifts when its holder dies. A copy is used again when its manifest is byte for
/// byte the pack's and all its shards have their sizes. It appears whole or not at all. Throws
/// Error when there is not enough free space.
std::filesystem::path cached_pack(const std::filesystem::path& pack,
                                  const std::filesystem::path& cache_dir);

}  // namespace dfine::inline shards
