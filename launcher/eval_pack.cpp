#include "eval_pack.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/atomic_path.h"
#include "core/error.h"
#include "core/text.h"
#include "data/dataset.h"
#include "loaded_model.h"
#include "train/validate.h"

namespace dfine {
namespace {

void check_classes(const ModelDescription& model, const PackedDataset& data, const PackEvalOptions& options) {
  const auto& categories = data.categories();
  const std::string where = cat(options.weights, " and ", options.data);
  if (static_cast<size_t>(model.spec.num_classes) != categories.size()) {
    throw Error(cat(where, ": the model has ", model.spec.num_classes, " classes, the pack has ", categories.size()),
                "evaluate on a pack with the classes that the model was trained on");
  }
  for (size_t label = 0; label < categories.size() && !model.category_ids.empty(); ++label) {
    if (model.category_ids[label] == categories[label].id) continue;
    throw Error(cat(where, ": label ", label, " is category ", model.category_ids[label], " in the model and ", categories[label].id, " (",
                    categories[label].name, ") in the pack"),
                "evaluate on a pack with the classes that the model was trained on");
  }
}

}  // namespace

void evaluate_pack(const PackEvalOptions& options) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  const PackedDataset data = PackedDataset::open(options.data);
  const LoadedModel loaded = load_model(options.weights, parse_device(options.device));
  check_classes(loaded.description, data, options);

  const ImageSize size = options.image_size.value_or(ImageSize{loaded.description.image_height, loaded.description.image_width});
  const ValidationOptions validation{
      .loader = {.sample = {.size = size}, .workers = std::max(1, at::get_num_threads() / 2), .pin_memory = loaded.device.is_cuda()},
      .batch_size = options.batch_size};
  const Validation result = validate(*loaded.model, data, validation, Group(loaded.device));

  std::cout << with_commas(static_cast<int64_t>(data.size())) << " images at " << size.width << "x" << size.height << ", val_loss "
            << result.val_loss << "\n\n"
            << format_summary(result.summary) << "\n"
            << format_classes(result.classes) << std::flush;
  if (!options.output) return;
  auto json = to_json(result.summary, result.classes);
  json["val_loss"] = result.val_loss;
  write_file_atomically(*options.output, json.dump(2) + "\n");
}

}  // namespace dfine
