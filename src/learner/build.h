#pragma once
// From a configuration to the parts of a run.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/category.h"
#include "data/shards/dataset.h"
#include "model/dfine.h"

namespace dfine::inline learner {

/// Opens a pack, its copy in `cache_dir` unless that is empty (see data/shards/cache.h), and names
/// the key it came from in errors.
PackedDataset open_pack(const std::string& key, const std::string& folder,
                        const std::string& cache_dir);

/// Images of the training pack under data.max_images.
int64_t usable_images(const Config& config, const PackedDataset& data);

/// The model to train, in training mode on the CPU: of model.size with these classes, frozen as the
/// configuration says, with the weights of model.weights, if set; the log then says
/// where the class heads come from. With `weights` false they are not read, because a checkpoint's
/// will follow. Throws Error when model.weights is of another size than model.size, or an image of
/// the run is too small for the model's queries.
std::shared_ptr<DFine> build_model(const Config& config, const std::vector<Category>& categories,
                                   bool weights);

/// Parameters with requires_grad, in the model's order.
std::vector<Tensor> trained_parameters(const DFine& model);

}  // namespace dfine::inline learner
