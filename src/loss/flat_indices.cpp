#include "loss/flat_indices.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "model/denoising.h"
#include "model/to_device_async.h"

namespace dfine::inline loss {

void FlatIndices::pad(int64_t size, int64_t row) {
  const size_t length = std::max(query.size(), static_cast<size_t>(size));
  query.resize(length, row);
  box.resize(length, 0);
}

FlatIndices flat_indices(const MatchedIndices& matching, const Targets& targets, int64_t queries) {
  FlatIndices rows;
  int64_t image = 0, first_box = 0;
  for (const Pairs& pairs : matching) {
    for (size_t k = 0; k < pairs.size(); ++k) {
      rows.query.push_back(image * queries + pairs.query[k]);
      rows.box.push_back(first_box + pairs.box[k]);
    }
    first_box += targets.counts[static_cast<size_t>(image++)];
  }
  return rows;
}

FlatIndices denoising_pair_rows(const DenoisingMeta& meta, const Targets& targets) {
  FlatIndices rows;
  if (meta.groups == 0) return rows;
  const std::vector<int64_t> denoised = denoised_rows(targets, meta);
  int64_t first_query = 0, first_box = 0;
  for (const int64_t boxes : targets.counts) {
    const int64_t count = std::min(boxes, meta.max_boxes);
    for (int64_t group = 0; group < meta.groups; ++group) {
      for (int64_t box = 0; box < count; ++box) {
        rows.query.push_back(first_query + group * 2 * meta.max_boxes + box);
        rows.box.push_back(denoised[static_cast<size_t>(first_box + box)]);
      }
    }
    first_query += meta.num_queries();
    first_box += count;
  }
  return rows;
}

std::vector<int64_t> grouped_queries(const DenoisingMeta& meta, int64_t images) {
  std::vector<int64_t> grouped;
  for (int64_t image = 0; image < images; ++image) {
    grouped.insert(grouped.end(), static_cast<size_t>(meta.num_grouped()), 1);
    grouped.insert(grouped.end(), static_cast<size_t>(meta.padding), 0);
  }
  return grouped;
}

FlatIndices join_heads(const std::vector<FlatIndices>& heads, int64_t rows, int64_t size) {
  FlatIndices joined;
  const auto count = static_cast<int64_t>(heads.size());
  for (int64_t k = 0; k < count; ++k) {
    const FlatIndices& head = heads[static_cast<size_t>(k)];
    for (const int64_t query : head.query) joined.query.push_back(k * rows + query);
    joined.box.insert(joined.box.end(), head.box.begin(), head.box.end());
    joined.pad((k + 1) * size, count * rows);
  }
  return joined;
}

std::vector<Tensor> to_device(const std::vector<const std::vector<int64_t>*>& lists,
                              const at::Device& device) {
  std::vector<int64_t> all, sizes;
  for (const auto* list : lists) {
    all.insert(all.end(), list->begin(), list->end());
    sizes.push_back(static_cast<int64_t>(list->size()));
  }
  return to_device_async(at::tensor(all, at::kLong), device).split_with_sizes(sizes);
}

}  // namespace dfine::inline loss
