#pragma once
// One-to-one matching of queries and ground truth at the least cost, for every head and image.
#include <cstdint>
#include <vector>

#include "targets.h"
#include "tensor.h"

namespace dfine::inline loss {

/// Matched pairs of one image; `box` counts within the image.
struct Pairs {
  std::vector<int64_t> query, box;

  size_t size() const { return query.size(); }
  bool operator==(const Pairs&) const = default;
};

/// Pairs of each image of this rank's batch.
using MatchedIndices = std::vector<Pairs>;

/// Weights of the costs, and the focal form of the class cost (D-FINE's configs, `matcher`).
struct MatcherOptions {
  double class_weight = 2, bbox_weight = 5, giou_weight = 2;
  double alpha = 0.25, gamma = 2;
};

/// The matching of every head, pairs by ascending query: min(Q, boxes) pairs an image. A pair costs
/// the focal class cost, plus L1, minus GIoU of its boxes, weighted. A NaN cost counts as 1 and an
/// infinite one as the largest finite value. So a matching always exists, and the loss then shows
/// the NaN. Only an image's own boxes are paired with its queries, and all heads' costs come to the
/// host in one copy. Nothing here is differentiated. logits: [H, B, Q, C]; boxes: [H, B, Q, 4].
std::vector<MatchedIndices> hungarian_match(const Tensor& logits, const Tensor& boxes,
                                            const Targets& targets,
                                            const MatcherOptions& options = {});

}  // namespace dfine::inline loss
