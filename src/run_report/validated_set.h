#pragma once
// The images that a model was evaluated on: ground truth, sizes and, where they are at hand, files.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/image_size.h"
#include "metrics/coco_types.h"

namespace dfine::inline run_report {

struct ValidatedSet {
  GroundTruth truth;             // each image once
  std::string name;              // for messages: the file or folder
  std::vector<ImageSize> sizes;  // [images] pixels; 0 x 0: not known
  /// The file of image i, by its place in truth.image_ids; throws Error. Any thread may call it.
  /// Empty: no images are at hand.
  std::function<std::vector<uint8_t>(size_t)> read_image;
};

/// A COCO annotation file, with the folder of its images if given. Throws Error as
/// read_coco_ground_truth() does, and where there is no such folder.
ValidatedSet validated_files(const std::filesystem::path& annotations,
                             const std::optional<std::filesystem::path>& images);

/// A pack. Throws Error as PackedDataset::open() does.
ValidatedSet validated_pack(const std::filesystem::path& folder);

}  // namespace dfine::inline run_report
