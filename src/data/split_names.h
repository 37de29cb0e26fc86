#pragma once

namespace dfine::inline data {

/// Folders of a pack that was divided into two (dfine-pack --val-fraction).
inline constexpr const char* kTrainSet = "train";
inline constexpr const char* kValSet = "val";

}  // namespace dfine::inline data
