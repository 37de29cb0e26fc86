#pragma once
// What the model returns. B images, N denoising and Q normal queries, C classes, R = reg_max + 1
// bins per edge, L decoder layers.
#include <cstdint>
#include <vector>

#include "tensor.h"

namespace dfine::inline model {

/// One prediction head.
struct HeadOutput {
  Tensor logits;  // [B, Q, C], before the sigmoid
  Tensor boxes;   // [B, Q, 4], cx cy w h, unclamped
};

/// H prediction heads over the same queries, of which the first L have distributions of the edges.
struct Heads {
  Tensor logits;      // [H, B, Q, C], before the sigmoid
  Tensor boxes;       // [H, B, Q, 4], cx cy w h, unclamped
  Tensor corners;     // [L, B, Q, 4 * R] bin logits of left, top, right, bottom
  Tensor ref_points;  // [B, Q, 4] reference boxes of the bins, detached
};

/// Layout of the denoising queries, which come before the normal ones: the groups, then padding.
/// Without denoising it is empty, without boxes there are no groups.
struct DenoisingMeta {
  int64_t groups = 0;
  int64_t max_boxes = 0;  // M: each group holds M positive then M negative queries
  /// The boxes that have denoising queries, as rows of the batch's boxes, image after image: of
  /// each image M or, where it has fewer, all. Empty: no image of this batch has more than M boxes.
  std::vector<int64_t> kept = {};
  /// Queries after the groups that make N the same for batches of different boxes. No other query
  /// sees them, and no loss counts them.
  int64_t padding = 0;

  int64_t num_grouped() const { return 2 * max_boxes * groups; }
  int64_t num_queries() const { return num_grouped() + padding; }
};

struct ModelOutput {
  /// Training: the L layers, then the first layer's direct boxes ("pre"), over N + Q queries.
  /// Evaluation: the last layer alone, over Q queries, without corners and ref_points.
  Heads decoder;
  HeadOutput enc;    // the selected encoder tokens; undefined in evaluation
  DenoisingMeta dn;  // N = dn.num_queries()
  Tensor up;         // float [1]
  Tensor reg_scale;  // float [1]

  /// The last layer's boxes for the normal queries: what the model detects.
  HeadOutput prediction() const {
    const int64_t last = decoder.corners.defined() ? decoder.corners.size(0) - 1 : 0;
    const int64_t first = dn.num_queries();
    return {.logits = decoder.logits.select(0, last).slice(1, first),
            .boxes = decoder.boxes.select(0, last).slice(1, first)};
  }
};

}  // namespace dfine::inline model
