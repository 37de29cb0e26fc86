#pragma once
#include <filesystem>
#include <span>

#include "metrics/coco_types.h"

namespace dfine::inline eval {

/// A COCO results file, one record on each line: image_id, category_id, bbox [x, y, w, h], score.
/// Numbers read back exactly. Written atomically.
void write_detections(const std::filesystem::path& path, std::span<const Detection> detections);

}  // namespace dfine::inline eval
