#pragma once
// From a configuration to the plan of a run. Here the configuration ends: nothing below takes one.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/category.h"
#include "data/shards/dataset.h"
#include "train/plan/run_plan.h"

namespace dfine::inline plan {

/// Opens a pack, its copy in `cache_dir` unless that is empty (see data/shards/cache.h), and names
/// the key it came from in errors.
PackedDataset open_pack(const std::string& key, const std::string& folder,
                        const std::string& cache_dir);

/// Images of a pack under data.max_images.
int64_t usable_images(const Config& config, const PackedDataset& data);

/// The whole plan of a run on `ranks` ranks whose training pack has these classes and
/// usable_images(). `cuda`: whether the ranks compute on GPUs. Throws Error naming the keys to
/// change where configuration, data and weights do not fit together. `resumed_queries`: of the
/// checkpoint's model, where the run continues from one; model.weights is then not read.
RunPlan resolve(const Config& config, const std::vector<Category>& categories, int64_t num_images,
                int ranks, bool cuda, std::optional<int64_t> resumed_queries = {});

/// The parts of it.

/// Throws Error when the images do not fill one global batch.
EpochLayout epoch_layout(const Config& config, int ranks, int64_t num_images);

/// Resolves `auto`, epochs and the scaling to the global batch.
Recipe make_recipe(const Config& config, const EpochLayout& layout);

/// Reads the description of model.weights, unless the run continues. Throws Error when they are of
/// another size than model.size, or an image of the run is too small for the model's queries.
ModelOptions model_options(const Config& config, const std::vector<Category>& categories,
                           std::optional<int64_t> resumed_queries = {});

LearnerOptions learner_options(const Config& config, const Recipe& recipe, bool cuda);

/// `training` false: the whole image as packed, and damage is an error.
LoaderOptions loader_options(const Config& config, bool training, bool cuda);

MultiScaleOptions multiscale_options(const Config& config);

FeedOptions feed_options(const Config& config, int ranks, int64_t num_images, int64_t total_steps,
                         bool cuda);

ValidationOptions validation_options(const Config& config, bool cuda);

}  // namespace dfine::inline plan
