#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>

namespace dfine::inline packing {

struct ExtractSummary {
  size_t images = 0, annotations = 0;
  uint64_t bytes = 0;
};

/// Writes the images of a pack to `output/images` under their names, and their annotations to
/// `output/annotations.json`. Packing these again, with the same shard size, gives the same pack:
/// numbers are written so that they are read back exactly. `output` must not exist, or be an empty
/// folder, up to the end; it appears whole or not at all. Throws Error for a damaged record.
/// `progress(images, bytes)` is called from one thread; `interrupted` ends it with an Error.
ExtractSummary extract_pack(const std::filesystem::path& pack, const std::filesystem::path& output,
                            int jobs, const std::function<void(size_t, uint64_t)>& progress,
                            const std::function<bool()>& interrupted);

}  // namespace dfine::inline packing
