#pragma once
// Pictures from image files, and from packs.
#include <memory>
#include <vector>

#include "data/shards/dataset.h"
#include "predict/picture_source.h"

namespace dfine::inline predict {

/// `files`: PictureInfo::source is the path. `apply_exif`: pictures are upright, as viewers show
/// them; else their pixels are as stored.
std::unique_ptr<PictureSource> file_source(std::vector<PictureInfo> files, bool apply_exif);

/// `pictures`: one for each image of `pack`, in its order. Pixels are as stored.
std::unique_ptr<PictureSource> pack_source(PackedDataset pack, std::vector<PictureInfo> pictures);

}  // namespace dfine::inline predict
