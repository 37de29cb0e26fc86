#include "train/run/run_context.h"

#include <string>
#include <utility>

#include "classes/class_match.h"
#include "config/load.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "distributed/consistency_check.h"
#include "eval/class_order.h"
#include "train/checks/config_warnings.h"
#include "train/plan/resolve.h"
#include "train/run/shared_weights.h"

namespace dfine::inline run {
namespace {

constexpr const char* kOtherData =
    "continue with the data it was trained on, or start a new run from its weights: --resume none "
    "--set model.weights=FOLDER";

std::optional<PackedDataset> open_val_data(const Config& config, const PackedDataset& train_data) {
  if (config.validate.every_epochs == 0) return std::nullopt;
  return in_order_of(class_list("data.train", train_data.categories()),
                     open_pack("data.val", config.data.val, config.data.cache_dir), "data.val",
                     "pack both from annotation files with the same classes, and without "
                     "--drop-unused-classes, which may drop other classes from each");
}

/// Which data, for comparison: "3f2a91c0 (205 images)".
std::string data_text(const PackedDataset& data, int64_t num_images) {
  return str_cat(data.checksum(), " (", counted(num_images, "image"), ")");
}

}  // namespace

RunContext prepare(const Config& config, const Communicator& group, const RunStart* start) {
  end_if_stop_requested();
  PackedDataset train_data = open_pack("data.train", config.data.train, config.data.cache_dir);
  std::vector<Category> packed_classes = train_data.categories();
  const bool resumed = start != nullptr && start->resumed();
  if (resumed)
    train_data = in_order_of(start->classes, std::move(train_data), "data.train", kOtherData);
  end_if_stop_requested();
  std::optional<PackedDataset> val_data = open_val_data(config, train_data);
  const int64_t num_images = usable_images(config, train_data);
  const std::string train = data_text(train_data, num_images),
                    val = val_data ? data_text(*val_data, usable_images(config, *val_data)) : "";
  check_agreement(group, {{"data.train", train}, {"data.val", val}});
  Config local = config;  // the configuration that is saved keeps the models' names
  if (!resumed) {
    ModelConfig& model = local.model;
    model.weights = shared_weights("model.weights", model.weights, group);
    if (model.weights.empty())
      model.backbone_weights =
          shared_weights("model.backbone_weights", model.backbone_weights, group);
  }
  RunPlan plan = resolve(local, train_data.categories(), num_images, group.size(),
                         group.device().is_cuda(), resumed ? start->num_queries : std::nullopt);
  plan.config = print_config(config);
  plan.train_data = train;
  plan.val_data = val;
  if (val_data) plan.val_pack = config.data.val;
  DatasetStats train_stats = dataset_stats(train_data, num_images);
  std::optional<DatasetStats> val_stats;
  if (val_data) val_stats = dataset_stats(*val_data, usable_images(config, *val_data));
  std::vector<std::string> warnings = config_warnings(config, plan, train_stats, val_stats);
  return {.group = group,
          .folder = RunFolder(config.run.dir),
          .lock = start != nullptr ? start->lock : nullptr,
          .train_data = std::move(train_data),
          .val_data = std::move(val_data),
          .packed_classes = std::move(packed_classes),
          .train_stats = std::move(train_stats),
          .val_stats = std::move(val_stats),
          .plan = std::move(plan),
          .warnings = std::move(warnings),
          .begin = start != nullptr ? start->begin : std::chrono::steady_clock::now()};
}

}  // namespace dfine::inline run
