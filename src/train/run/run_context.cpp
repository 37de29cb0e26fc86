#include "train/run/run_context.h"

#include <string>
#include <utility>

#include "eval/class_order.h"
#include "train/checks/config_warnings.h"
#include "train/plan/compute_setup.h"
#include "train/plan/resolve.h"
#include "train/run/checkpoint_order.h"
#include "weights/class_match.h"

namespace dfine::inline run {
namespace {

std::optional<PackedDataset> open_val_data(const Config& config, const PackedDataset& train_data) {
  if (config.validate.every_epochs == 0) return std::nullopt;
  return in_order_of(class_list("data.train", train_data.categories()),
                     open_pack("data.val", config.data.val, config.data.cache_dir), "data.val",
                     "pack both from annotation files with the same classes, and without "
                     "--drop-unused-classes, which may drop other classes from each");
}

}  // namespace

RunContext prepare(const Config& config, MpiSession& session) {
  const auto begin = std::chrono::steady_clock::now();
  Communicator group = join_ranks(config, session);
  RunFolder folder(config.run.dir);
  const std::filesystem::path checkpoint = group.broadcast(
      group.rank() == 0 ? folder.resume_from(config.run.resume).string() : std::string(), 0);
  PackedDataset train_data = in_order_of_checkpoint(
      checkpoint, open_pack("data.train", config.data.train, config.data.cache_dir), group);
  std::optional<PackedDataset> val_data = open_val_data(config, train_data);
  const int64_t num_images = usable_images(config, train_data);
  RunPlan plan =
      resolve(config, train_data.categories(), num_images, group.size(), group.device().is_cuda());
  DatasetStats train_stats = dataset_stats(train_data, num_images);
  std::optional<DatasetStats> val_stats;
  if (val_data) val_stats = dataset_stats(*val_data, usable_images(config, *val_data));
  std::vector<std::string> warnings = config_warnings(config, plan, train_stats, val_stats);
  return {.group = group,
          .folder = std::move(folder),
          .checkpoint = checkpoint,
          .train_data = std::move(train_data),
          .val_data = std::move(val_data),
          .train_stats = std::move(train_stats),
          .val_stats = std::move(val_stats),
          .plan = std::move(plan),
          .warnings = std::move(warnings),
          .begin = begin};
}

}  // namespace dfine::inline run
