#pragma once
// From a configuration to the parts of a run.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "model/dfine.h"

namespace dfine {

/// Opens a pack, its copy in `cache_dir` unless that is empty (see data/pack_cache.h), and names the key it came from in errors.
PackedDataset open_pack(const std::string& key, const std::string& folder, const std::string& cache_dir);

/// Images of the training pack under data.max_images.
int64_t usable_images(const Config& config, const PackedDataset& data);

/// Throws Error unless both packs have the same classes in the same order.
void check_same_categories(const PackedDataset& train, const PackedDataset& val);

/// The model to train, in training mode on the CPU: of model.size with the classes of the data, frozen as the configuration says, with
/// the weights of model.weights, if set. With `weights` false they are not read, because a checkpoint's will follow.
/// Throws Error when model.weights is of another size than model.size.
std::shared_ptr<DFine> build_model(const Config& config, int64_t num_classes, bool weights);

/// Parameters with requires_grad, in the model's order.
std::vector<Tensor> trained_parameters(const DFine& model);

}  // namespace dfine
