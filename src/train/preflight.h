#pragma once
// The most expensive step of a run, tried before the first.
#include "config/config.h"
#include "data/category.h"
#include "dist/group.h"
#include "train/data_facts.h"
#include "train/recipe.h"

namespace dfine {

struct Preflight {
  ImageSize size;          // the largest that steps of this run have
  int64_t boxes = 0;       // of each image: the most that any has, more with mosaic and mixup
  int64_t peak_bytes = 0;  // of the device's memory, or of the process on a CPU; on this rank
};

/// Collective. Makes one optimizer step at the largest size with the most boxes in every image, on a model of its own, so that nothing of
/// the run changes; the memory is given back to the allocator. Throws Error when it does not fit.
Preflight preflight(const Config& config, const Recipe& recipe, const std::vector<Category>& categories, const DataFacts& facts,
                    const Group& group);

}  // namespace dfine
