#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace dfine::inline shards {

struct VerifyReport {
  size_t shards = 0, images = 0;  // checked
  uint64_t bytes = 0;
  std::vector<std::string>
      damaged;  // one entry for each damaged shard or record, naming it; empty: the pack is sound
};

/// Checks the structure of all shards and the checksum of every index and image file. Also checks
/// that no shard lies there unlisted, and with `decode` that every image can be decoded. Throws
/// Error when the manifest itself cannot be used. `progress(bytes done, bytes in all)` is called
/// from one thread; `interrupted` ends it with an Error.
VerifyReport verify_pack(const std::filesystem::path& folder, int jobs, bool decode,
                         const std::function<void(uint64_t, uint64_t)>& progress,
                         const std::function<bool()>& interrupted);

}  // namespace dfine::inline shards
