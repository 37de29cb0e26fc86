#pragma once
#include "core/thread_pool.h"
#include "data/formats/annotations.h"
#include "data/packing/options.h"

namespace dfine::inline packing {

/// Reads options.annotations in options.format. Throws Error where the annotations as a whole are
/// unusable; see the readers of the formats.
Annotations read_annotations(const PackOptions& options, ThreadPool& pool);

}  // namespace dfine::inline packing
