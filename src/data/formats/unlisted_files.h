#pragma once
#include <filesystem>
#include <vector>

#include "core/thread_pool.h"
#include "data/annotation_set.h"
#include "data/data_note.h"

namespace dfine::inline formats {

/// Notes on the files that no image of the annotation file refers to. Only the innermost folder of
/// `image_folder` that holds all images is searched: files beside it may belong to other annotation
/// files.
std::vector<DataNote> find_unlisted_files(const AnnotationSet& coco,
                                          const std::filesystem::path& image_folder,
                                          ThreadPool& pool);

}  // namespace dfine::inline formats
