#include "train/run/checkpoint_order.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/printable.h"
#include "eval/class_order.h"
#include "train/checkpoint/checkpoint.h"
#include "weights/class_names.h"

namespace dfine::inline run {
namespace {

constexpr const char* kOtherData =
    "continue with the data it was trained on, or start a new run from its weights: --resume none "
    "--set model.weights=FOLDER";

}  // namespace

PackedDataset in_order_of_checkpoint(const std::filesystem::path& checkpoint, PackedDataset data,
                                     const Communicator& group) {
  if (checkpoint.empty()) return data;
  const ClassList mine = group.rank() == 0 ? class_list(printable(checkpoint),
                                                        describe_checkpoint(checkpoint.string()))
                                           : ClassList();
  const ClassList classes{.owner = group.broadcast(mine.owner, 0),
                          .names = group.broadcast(mine.names, 0),
                          .ids = group.broadcast(mine.ids, 0)};
  return in_order_of(classes, std::move(data), "data.train", kOtherData);
}

}  // namespace dfine::inline run
