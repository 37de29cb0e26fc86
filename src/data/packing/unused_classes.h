#pragma once
#include "data/annotation_set.h"
#include "data/data_note.h"

namespace dfine {

/// Removes the categories that no annotation has, and says which. The other ones keep their ids;
/// labels count anew. Throws Error when none is left.
DataNote drop_unused_classes(Coco& coco);

}  // namespace dfine
