#include "learner/build.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/shards/cache.h"
#include "input/multiscale.h"
#include "model/freezing.h"
#include "weights/class_heads.h"
#include "weights/hf_config.h"
#include "weights/weights.h"

namespace dfine::inline learner {
namespace {

/// Every query starts from a place of its own on the feature maps (model/query_selection.h): the
/// run's smallest image needs as many.
void check_queries(const Config& config, const ModelSpec& spec) {
  const ImageSize size = MultiScaleSampler(config).smallest();
  int64_t places = 0;
  for (const int64_t stride : spec.strides())
    places += (size.height / stride) * (size.width / stride);
  if (places >= spec.num_queries) return;
  throw Error(str_cat("model.num_queries is ", spec.num_queries,
                      ", but the feature maps of an image of ", size.height, "x", size.width,
                      size == config.data.image_size
                          ? " (data.image_size)"
                          : " (the smallest that data.multiscale makes of data.image_size)",
                      " have ", places, " places to start from"),
              str_cat("set model.num_queries = ", places, " or less, or raise data.image_size",
                      size == config.data.image_size ? "" : ", or set data.multiscale = false"));
}

}  // namespace

PackedDataset open_pack(const std::string& key, const std::string& folder,
                        const std::string& cache_dir) {
  if (folder.empty())
    throw Error(str_cat(key, " is not set"),
                str_cat("give the folder that dfine-pack wrote: --set ", key, "=FOLDER"));
  return with_context(
      [&] {
        return PackedDataset::open(cache_dir.empty() ? std::filesystem::path(folder)
                                                     : cached_pack(folder, cache_dir));
      },
      [&] { return str_cat("opening ", key, " = ", folder); });
}

int64_t usable_images(const Config& config, const PackedDataset& data) {
  const auto size = static_cast<int64_t>(data.size());
  return config.data.max_images > 0 ? std::min(config.data.max_images, size) : size;
}

std::shared_ptr<DFine> build_model(const Config& config, const std::vector<Category>& categories,
                                   bool weights) {
  const ModelConfig& wanted = config.model;
  ModelSpec spec =
      model_spec(parse_model_size(wanted.size), static_cast<int64_t>(categories.size()));
  ClassHeadRemap rows;
  if (!wanted.weights.empty()) {
    const ModelDescription found = describe_weights(wanted.weights);
    const std::string size = architecture_size(found.spec);
    if (size != wanted.size) {
      throw Error(
          str_cat("model.weights = ", wanted.weights, " is ",
                  size.empty() ? "of no published size" : "D-FINE-" + size, ", model.size is ",
                  wanted.size),
          size.empty() ? "give weights of this size" : str_cat("set model.size = \"", size, "\""));
    }
    spec.num_queries = found.spec.num_queries;
    std::vector<std::string> names;
    for (const Category& category : categories) names.push_back(category.name);
    if (weights) rows = class_rows(wanted.class_heads, names, found.class_names);
  }
  if (wanted.num_queries > 0) spec.num_queries = wanted.num_queries;
  check_queries(config, spec);
  spec.num_denoising = wanted.num_denoising;
  spec.max_denoising_queries = wanted.max_denoising_queries;
  spec.freeze_norm = freezes_norm(wanted);
  spec.freeze_stem = wanted.freeze_stem;
  spec.freeze_backbone = wanted.freeze_backbone;

  auto model = std::make_shared<DFine>(spec, static_cast<uint64_t>(config.run.seed));
  if (weights && !wanted.weights.empty()) {
    load_weights(wanted.weights, named_tensors(*model), rows);
    log::info(rows.report);
    if (!rows.warning.empty()) log::warn(rows.warning);
  }
  freeze(*model, wanted.freeze);
  return model;
}

std::vector<Tensor> trained_parameters(const DFine& model) {
  std::vector<Tensor> parameters;
  for (const auto& parameter : model.parameters()) {
    if (parameter.requires_grad()) parameters.push_back(parameter);
  }
  return parameters;
}

}  // namespace dfine::inline learner
