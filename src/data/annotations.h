#pragma once
// Images and annotations in any of the formats that dfine-pack reads, as one thing.
#include <filesystem>
#include <vector>

#include "core/thread_pool.h"
#include "data/coco.h"
#include "data/data_note.h"
#include "data/pack_options.h"

namespace dfine {

struct Annotations {
  Coco coco;
  std::filesystem::path image_folder;  // that file names are relative to
  std::vector<DataNote> notes;         // for the closing summary
};

/// Throws Error where the annotations as a whole are unusable; see the readers.
Annotations read_annotations(const PackOptions& options, ThreadPool& pool);

}  // namespace dfine
