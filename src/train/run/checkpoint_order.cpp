#include "train/run/checkpoint_order.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/printable.h"
#include "eval/class_order.h"
#include "train/run/checkpoint.h"
#include "weights/class_names.h"

namespace dfine::inline run {
namespace {

constexpr const char* kOtherData =
    "continue with the data it was trained on, or start a new run from its weights: --resume none "
    "--set model.weights=FOLDER";

/// From rank zero to all. Every name is UTF-8: class names come from JSON, and the owner is
/// printable.
ClassList share(const ClassList& list, const Communicator& group) {
  const std::string text = nlohmann::json::array({list.owner, list.names, list.ids}).dump();
  const auto json = nlohmann::json::parse(group.broadcast(text, 0));
  return {.owner = json.at(0), .names = json.at(1), .ids = json.at(2)};
}

}  // namespace

PackedDataset in_order_of_checkpoint(const std::filesystem::path& checkpoint, PackedDataset data,
                                     const Communicator& group) {
  if (checkpoint.empty()) return data;
  const bool root = group.rank() == 0;
  const ClassList mine =
      root ? class_list(printable(checkpoint), describe_checkpoint(checkpoint.string()))
           : ClassList();
  const ClassList classes = share(mine, group);
  return in_order_of(classes, std::move(data), "data.train", root, kOtherData);
}

}  // namespace dfine::inline run
