#pragma once
// Matched pairs as row numbers of flattened tensors.
#include <cstdint>
#include <vector>

#include "loss/matcher.h"
#include "model/outputs.h"
#include "targets.h"
#include "tensor.h"

namespace dfine::inline loss {

/// Parallel lists: row image * queries + query of the flattened queries, and row of Targets::labels
/// / boxes.
struct FlatIndices {
  std::vector<int64_t> query, box;

  size_t size() const { return query.size(); }
  /// Adds pairs up to `size` that count for nothing: `row` (one past the last query) with box 0.
  void pad(int64_t size, int64_t row);
};

FlatIndices flat_indices(const MatchedIndices& matching, const Targets& targets, int64_t queries);

/// The fixed matching of the denoising queries: each group's positives with the boxes that they are
/// made from.
FlatIndices denoising_pair_rows(const DenoisingMeta& meta, const Targets& targets);

/// [images * N]: 1 for the denoising queries of groups, 0 for padding.
std::vector<int64_t> grouped_queries(const DenoisingMeta& meta, int64_t images);

/// The lists of H heads joined, with query rows that count through the heads' stacked rows: head *
/// rows + query. Each list is padded to `size`, if that is more than it has.
FlatIndices join_heads(const std::vector<FlatIndices>& heads, int64_t rows, int64_t size = 0);

/// Each list as an int64 tensor; one copy to the device for all of them.
std::vector<Tensor> to_device(const std::vector<const std::vector<int64_t>*>& lists,
                              const at::Device& device);

}  // namespace dfine::inline loss
