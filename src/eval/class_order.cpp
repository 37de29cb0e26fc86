#include "eval/class_order.h"

#include <utility>

#include "classes/class_names.h"
#include "core/log.h"

namespace dfine::inline eval {

PackedDataset in_order_of(const ClassList& order, PackedDataset data, const std::string& data_name,
                          const std::string& hint) {
  const ClassMatch match =
      match_class_lists(order, class_list(data_name, data.categories()), MoreClasses::kError, hint);
  if (!match.note.empty()) log::info(match.note);
  if (!match.warning.empty()) log::warn(match.warning);
  PackedDataset ordered = std::move(data).relabelled(match.place);
  return names_classes(order.names) ? std::move(ordered).renamed(order.names) : std::move(ordered);
}

}  // namespace dfine::inline eval
