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
};

FlatIndices flat_indices(const MatchedIndices& matching, const Targets& targets, int64_t queries);

/// The fixed matching of the denoising queries: each group's positives with the boxes that they are
/// made from.
FlatIndices denoising_pair_rows(const DenoisingMeta& meta, const Targets& targets);

/// The lists of H heads joined, with query rows that count through the heads' stacked rows: head *
/// rows + query.
FlatIndices join_heads(const std::vector<FlatIndices>& heads, int64_t rows);

/// Each list as an int64 tensor; one copy to the device for all of them.
std::vector<Tensor> to_device(const std::vector<const std::vector<int64_t>*>& lists,
                              const at::Device& device);

}  // namespace dfine::inline loss
