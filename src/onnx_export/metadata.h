#pragma once
#include <map>
#include <optional>
#include <string>

#include "core/image_size.h"
#include "eval/stored_thresholds.h"
#include "weights/hf_config.h"

namespace dfine::inline onnx_export {

/// What a file says about itself (metadata_props); JSON but for the last line.
/// - class_names: list, by label; category_ids: list, the dataset's own ids by label, where known
/// - image_size: [height, width] of the network's input
/// - preprocessing: how an image becomes the input
/// - dfine_layout, dfine_precision, dfine_version: as on the command line
/// - thresholds: {"overall": X, "classes": [X, ...]}, score thresholds with the best F1, by label,
///   where the weights' validation found them
std::map<std::string, std::string> metadata(const ModelDescription& description,
                                            const std::optional<StoredThresholds>& thresholds,
                                            ImageSize size, const std::string& layout,
                                            const std::string& precision);

}  // namespace dfine::inline onnx_export
