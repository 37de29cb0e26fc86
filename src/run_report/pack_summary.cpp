#include "run_report/pack_summary.h"

#include "core/error.h"
#include "data/shards/dataset.h"

namespace dfine::inline run_report {

PackSummary summarize_pack(const std::filesystem::path& folder) {
  PackSummary summary;
  try {
    const PackedDataset pack = PackedDataset::open(folder);
    summary.checksum = pack.checksum();
    for (const Category& category : pack.categories())
      summary.classes.emplace_back(category.name, 0);
    summary.images = static_cast<int64_t>(pack.size());
    for (size_t i = 0; i < pack.size(); ++i) {
      int64_t boxes = 0;
      for (const PackedBox& box : pack.evaluation_boxes(i)) {
        if (!box.trains()) continue;
        ++boxes;
        ++summary.classes[static_cast<size_t>(box.label)].second;
      }
      summary.boxes += boxes;
      if (boxes == 0) ++summary.images_without_boxes;
    }
  } catch (const Error& e) {
    summary = {};
    summary.problem = e.message();
  }
  return summary;
}

}  // namespace dfine::inline run_report
