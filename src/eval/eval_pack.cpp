#include "eval/eval_pack.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "analysis/details.h"
#include "core/text.h"
#include "data/shards/dataset.h"
#include "eval/class_order.h"
#include "eval/detections_file.h"
#include "eval/loaded_model.h"
#include "eval/validate.h"
#include "files/atomic_path.h"

namespace dfine::inline eval {

void evaluate_pack(const PackEvalOptions& options, const Communicator& group) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  PackedDataset stored = PackedDataset::open(options.data);
  const LoadedModel loaded = load_model(options.weights, group.device());
  const PackedDataset data =
      in_order_of(class_list(options.weights, loaded.description), std::move(stored), options.data,
                  "evaluate on a pack with the classes that the model was trained on");

  const ImageSize size = options.image_size.value_or(
      ImageSize{loaded.description.image_height, loaded.description.image_width});
  const ValidationOptions validation{.loader = {.sample = {.size = size},
                                                .workers = std::max(1, at::get_num_threads() / 2),
                                                .pin_memory = loaded.device.is_cuda()},
                                     .batch_size = options.batch_size};
  const Validation result = validate(*loaded.model, data, validation, group);
  if (group.rank() != 0) return;

  std::optional<Details> details;
  if (options.details)
    details =
        analyse(ground_truth(data, data.size()), result.detections, {.threads = options.threads});
  std::cout << with_commas(static_cast<int64_t>(data.size())) << " images at " << size.width << "x"
            << size.height << ", val_loss " << result.val_loss << "\n\n"
            << format_summary(result.summary) << "\n"
            << format_classes(result.classes);
  if (details) std::cout << "\n" << format_details(*details);
  std::cout << std::flush;
  if (options.predictions) write_detections(*options.predictions, result.detections);
  if (!options.output) return;
  auto json = to_json(result.summary, result.classes);
  json["val_loss"] = result.val_loss;
  if (details) json["details"] = to_json(*details);
  write_file_atomically(*options.output, json.dump(2) + "\n");
}

}  // namespace dfine::inline eval
