#pragma once
// Which images are set aside for validation.
#include <cstdint>
#include <string>
#include <vector>

#include "data/annotation_set.h"

namespace dfine::inline packing {

/// The packs that images are divided among: names (folders in the output; one empty name: the
/// output itself), and each image's pack.
struct SplitAssignment {
  std::vector<std::string> names{""};
  std::vector<uint8_t> of_image;  // [images] index into names
};

/// All images into one pack.
SplitAssignment one_set(const AnnotationSet& coco);

/// round(fraction * images) images go to kValSet, the others to kTrainSet, at least one to either.
/// Images with the lowest draws go to kValSet. The draw is a function of (seed, image id) alone. So
/// the choice depends neither on the order of the images nor on their annotations, and hardly
/// changes when a few images come or go. Throws Error for fewer than two images.
SplitAssignment split_sets(const AnnotationSet& coco, double fraction, uint64_t seed);

}  // namespace dfine::inline packing
